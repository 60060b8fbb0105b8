import protobuf from 'protobufjs/light.js';

/**
 * The messages of onnx.proto (IR version 13) as a protobuf descriptor. Every field is here, also those that nothing reads:
 * a model that is read and written again keeps them.
 */
const onnx = {
  OperatorSetIdProto: { domain: ['string', 1], version: ['int64', 2] },
  StringStringEntryProto: { key: ['string', 1], value: ['string', 2] },
  IntIntListEntryProto: { key: ['int64', 1], value: ['int64*', 2] },
  Segment: { begin: ['int64', 1], end: ['int64', 2] },
  TensorProto: {
    dims: ['int64*', 1],
    dataType: ['int32', 2],
    segment: ['Segment', 3],
    floatData: ['float*', 4],
    int32Data: ['int32*', 5],
    stringData: ['bytes*', 6],
    int64Data: ['int64*', 7],
    name: ['string', 8],
    rawData: ['bytes', 9],
    doubleData: ['double*', 10],
    uint64Data: ['uint64*', 11],
    docString: ['string', 12],
    externalData: ['StringStringEntryProto*', 13],
    dataLocation: ['int32', 14],
    metadataProps: ['StringStringEntryProto*', 16],
  },
  SparseTensorProto: { values: ['TensorProto', 1], indices: ['TensorProto', 2], dims: ['int64*', 3] },
  Dimension: { dimValue: ['int64', 1], dimParam: ['string', 2], denotation: ['string', 3] },
  TensorShapeProto: { dim: ['Dimension*', 1] },
  TensorTypeProto: { elemType: ['int32', 1], shape: ['TensorShapeProto', 2] },
  SequenceTypeProto: { elemType: ['TypeProto', 1] },
  MapTypeProto: { keyType: ['int32', 1], valueType: ['TypeProto', 2] },
  OptionalTypeProto: { elemType: ['TypeProto', 1] },
  SparseTensorTypeProto: { elemType: ['int32', 1], shape: ['TensorShapeProto', 2] },
  TypeProto: {
    tensorType: ['TensorTypeProto', 1],
    sequenceType: ['SequenceTypeProto', 4],
    mapType: ['MapTypeProto', 5],
    denotation: ['string', 6],
    sparseTensorType: ['SparseTensorTypeProto', 8],
    optionalType: ['OptionalTypeProto', 9],
  },
  ValueInfoProto: {
    name: ['string', 1],
    type: ['TypeProto', 2],
    docString: ['string', 3],
    metadataProps: ['StringStringEntryProto*', 4],
  },
  AttributeProto: {
    name: ['string', 1],
    f: ['float', 2],
    i: ['int64', 3],
    s: ['bytes', 4],
    t: ['TensorProto', 5],
    g: ['GraphProto', 6],
    floats: ['float*', 7],
    ints: ['int64*', 8],
    strings: ['bytes*', 9],
    tensors: ['TensorProto*', 10],
    graphs: ['GraphProto*', 11],
    docString: ['string', 13],
    tp: ['TypeProto', 14],
    typeProtos: ['TypeProto*', 15],
    type: ['int32', 20],
    refAttrName: ['string', 21],
    sparseTensor: ['SparseTensorProto', 22],
    sparseTensors: ['SparseTensorProto*', 23],
  },
  SimpleShardedDimProto: { dimValue: ['int64', 1], dimParam: ['string', 2], numShards: ['int64', 3] },
  ShardedDimProto: { axis: ['int64', 1], simpleSharding: ['SimpleShardedDimProto*', 2] },
  ShardingSpecProto: {
    tensorName: ['string', 1],
    device: ['int64*', 2],
    indexToDeviceGroupMap: ['IntIntListEntryProto*', 3],
    shardedDim: ['ShardedDimProto*', 4],
  },
  NodeDeviceConfigurationProto: {
    configurationId: ['string', 1],
    shardingSpec: ['ShardingSpecProto*', 2],
    pipelineStage: ['int32', 3],
  },
  NodeProto: {
    input: ['string*', 1],
    output: ['string*', 2],
    name: ['string', 3],
    opType: ['string', 4],
    attribute: ['AttributeProto*', 5],
    docString: ['string', 6],
    domain: ['string', 7],
    overload: ['string', 8],
    metadataProps: ['StringStringEntryProto*', 9],
    deviceConfigurations: ['NodeDeviceConfigurationProto*', 10],
  },
  TensorAnnotation: { tensorName: ['string', 1], quantParameterTensorNames: ['StringStringEntryProto*', 2] },
  GraphProto: {
    node: ['NodeProto*', 1],
    name: ['string', 2],
    initializer: ['TensorProto*', 5],
    docString: ['string', 10],
    input: ['ValueInfoProto*', 11],
    output: ['ValueInfoProto*', 12],
    valueInfo: ['ValueInfoProto*', 13],
    quantizationAnnotation: ['TensorAnnotation*', 14],
    sparseInitializer: ['SparseTensorProto*', 15],
    metadataProps: ['StringStringEntryProto*', 16],
  },
  TrainingInfoProto: {
    initialization: ['GraphProto', 1],
    algorithm: ['GraphProto', 2],
    initializationBinding: ['StringStringEntryProto*', 3],
    updateBinding: ['StringStringEntryProto*', 4],
  },
  FunctionProto: {
    name: ['string', 1],
    input: ['string*', 4],
    output: ['string*', 5],
    attribute: ['string*', 6],
    node: ['NodeProto*', 7],
    docString: ['string', 8],
    opsetImport: ['OperatorSetIdProto*', 9],
    domain: ['string', 10],
    attributeProto: ['AttributeProto*', 11],
    valueInfo: ['ValueInfoProto*', 12],
    overload: ['string', 13],
    metadataProps: ['StringStringEntryProto*', 14],
  },
  DeviceConfigurationProto: { name: ['string', 1], numDevices: ['int32', 2], device: ['string*', 3] },
  ModelProto: {
    irVersion: ['int64', 1],
    producerName: ['string', 2],
    producerVersion: ['string', 3],
    domain: ['string', 4],
    modelVersion: ['int64', 5],
    docString: ['string', 6],
    graph: ['GraphProto', 7],
    opsetImport: ['OperatorSetIdProto*', 8],
    metadataProps: ['StringStringEntryProto*', 14],
    trainingInfo: ['TrainingInfoProto*', 20],
    functions: ['FunctionProto*', 25],
    configuration: ['DeviceConfigurationProto*', 26],
  },
} as const;

function descriptor(): protobuf.INamespace {
  const nested: Record<string, protobuf.IType> = {};
  for (const [message, fields] of Object.entries(onnx)) {
    const described: Record<string, protobuf.IField> = {};
    for (const [name, [type, id]] of Object.entries<readonly [string, number]>(fields)) {
      // Repeated numbers are packed in some writers' files and not in others'; protobufjs reads both.
      described[name] = type.endsWith('*') ? { type: type.slice(0, -1), id, rule: 'repeated' } : { type, id };
    }
    nested[message] = { fields: described };
  }
  return { nested };
}

/** `ModelProto` of onnx.proto, as a codec. */
export const modelProto: protobuf.Type = protobuf.Root.fromJSON(descriptor()).lookupType('ModelProto');
