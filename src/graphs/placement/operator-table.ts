// Written by models/kernels/build.ts; do not edit.

/**
 * Facts from the operator schemas of ONNX Runtime 1.30.0: for each operator the opsets at which its schema changed (those
 * that a model of opset 11 or newer can meet) and the element types of inputs and outputs: =float is that type, anything else a
 * type variable of the schema; ? may be absent, * may repeat.
 */
export const OPERATOR_SCHEMAS = `
Abs 6,13 T > T
Acos 7,22 T > T
Acosh 9,22 T > T
Add 7,13,14 T T > T
Affine 10 T > T
AffineGrid 20 T1 =int64 > T1
And 7 =bool =bool > =bool
ArgMax 11,12,13 T > =int64
ArgMin 11,12,13 T > =int64
Asin 7,22 T > T
Asinh 9,22 T > T
Atan 7,22 T > T
Atanh 9,22 T > T
Attention 23 T1 T1 T2 U? T1? T2? > T1 T1? T2? T1?; 24 T1 T1 T2 U? T1? T2? =int64? > T1 T1? T2? T1?
AveragePool 11,19,22 T > T
BatchNormalization 9 T T T T T > T T? T? T? T?; 14 T T T U U > T U? U?; 15 T T1 T1 T2 T2 > T T2? T2?
Bernoulli 15,22 T1 > T2
BitCast 26 T1 > T2
BitShift 11 T T > T
BitwiseAnd 18 T T > T
BitwiseNot 18 T > T
BitwiseOr 18 T T > T
BitwiseXor 18 T T > T
BlackmanWindow 17 T1 > T2
Cast 9,13,19,21,23,24,25 T1 > T2
CastLike 15,19,21,23,24,25 T1 T2 > T2
CausalConvWithState 27 T T T? T? > T T
Ceil 6,13 T > T
Celu 12 =float > =float
CenterCropPad 18 T Tind > T
Clip 11,12,13 T T? T? > T
Col2Im 18 T =int64 =int64 > T
Compress 11 T =bool > T
Concat 11,13 T* > T
Constant 11,12,13,19,21,23,24,25 > T
ConstantOfShape 9,20,21,23,24,25 =int64 > T2
Conv 11,22 T T T? > T
ConvInteger 10 T1 T2 T1? T2? > =int32
ConvTranspose 11,22 T T T? > T
Cos 7,22 T > T
Cosh 9,22 T > T
Crop 10 T > T
CumProd 26 T T2 > T
CumSum 11,14 T T2 > T
DFT 17 T1 T2? > T1; 20 T1 T2? =int64? > T1
DeformConv 19,22 T T T T? T? > T
DepthToSpace 11,13 T > T
DequantizeLinear 10,13 T =float T? > =float; 19,21 T1 T2 T1? > T2; 23,24,25 T1 T2 T1? > T3
Det 11,22 T > T
DisentangledAttention_TRT 1 T T T > T
Div 7,13,14 T T > T
Dropout 10 T > T =bool?; 12,13,22 T T1? =bool? > T =bool?
DynamicQuantizeLinear 11 =float > =uint8 =float =uint8
DynamicSlice 10 T Tind Tind Tind? > T
EfficientNMS_TRT 1 T T T? > =int32 T T =int32
Einsum 12 T* > T
Elu 6,22 T > T
Equal 11,13,19 T T > =bool
Erf 9,13 T > T
Exp 6,13 T > T
Expand 8,13 T =int64 > T
EyeLike 9,22 T1 > T2
Flatten 11,13,21,23,24,25 T > T
Floor 6,13 T > T
GRU 7,14,22 T T T T? =int32? T? > T? T?
GRUUnit 10 T T T T > T
Gather 11,13 T Tind > T
GatherElements 11,13 T Tind > T
GatherND 11,12,13 T =int64 > T
Gelu 20 T > T
Gemm 11,13 T T T? > T
GivenTensorFill 10 T? > T
GlobalAveragePool 1,22 T > T
GlobalLpPool 2,22 T > T
GlobalMaxPool 1,22 T > T
Greater 9,13 T T > =bool
GreaterOrEqual 12,16 T T > =bool
GridSample 16,20,22 T1 T2 > T1
GroupNormalization 18,21 T T T > T
HammingWindow 17 T1 > T2
HannWindow 17 T1 > T2
HardSigmoid 6,22 T > T
HardSwish 14,22 T > T
Hardmax 11,13 T > T
Identity 1,13 T > T; 14,16,19,21,23,24,25 V > V
If 11,13,16,19,21,23,24,25 =bool > V*
ImageDecoder 20 =uint8 > =uint8
ImageScaler 10 T > T
InstanceNormalization 6,22 T T T > T
IsInf 10,20 T1 > =bool
IsNaN 9,13,20 T1 > =bool
LRN 1,13 T > T
LSTM 7,14,22 T T T T? =int32? T? T? T? > T? T? T?
LayerNormalization 1 T V V? > V U? U?; 17 T T T? > T U? U?
LeakyRelu 6,16 T > T
Less 9,13 T T > =bool
LessOrEqual 12,16 T T > =bool
LinearAttention 27 T T T S? T? T? > T S
Log 6,13 T > T
LogSoftmax 11,13 T > T
Loop 11,13,16,19,21,23,24,25 =int64? =bool? V* > V*
LpNormalization 1,22 T > T
LpPool 11,18,22 T > T
MatMul 9,13 T T > T
MatMulInteger 10 T1 T2 T1? T2? > =int32
Max 8,12,13 T* > T
MaxPool 11,12,22 T > T =int64?
MaxRoiPool 1,22 T T > T
MaxUnpool 11,22 T1 =int64 =int64? > T1
Mean 8,13 T* > T
MeanVarianceNormalization 9,13 T > T
MelWeightMatrix 17 T1 T1 T1 T2 T2 > T3
MemcpyFromHost 1 T > T
MemcpyToHost 1 T > T
Min 8,12,13 T* > T
Mish 18,22 T > T
Mod 10,13 T T > T
Mul 7,13,14 T T > T
MultilevelCropAndResize_TRT 1 =float =float =float =float =float > =float
Multinomial 7,22 T1 > T2
Neg 6,13 T > T
NegativeLogLikelihoodLoss 12,13,22 T Tind T? > T
NonMaxSuppression 11 =float =float =int64? =float? =float? > =int64
NonZero 9,13 T > =int64
Not 1 =bool > =bool
OneHot 11 T1 T2 T3 > T3
Or 7 =bool =bool > =bool
PRelu 9,16 T T > T
Pad 11,13 T =int64 T? > T; 18,19,21,23,24,25 T =int64 T? Tind? > T
ParametricSoftplus 10 T > T
Pow 7 T T > T; 12,13,15 T T1 > T
PyramidROIAlign_TRT 1 =float =float =float =float =float > =float
QLinearConv 10 T1 =float T1 T2 =float T2 =float T3 =int32? > T3
QLinearMatMul 10 T1 =float T1 T2 =float T2 =float T3 > T3; 21 T1 TS T1 T2 TS T2 TS T3 > T3
QuantizeLinear 10,13 T1 =float T2? > T2; 19,21 T1 T1 T2? > T2; 23,24,25 T1 T2 T3? > T3
RMSNormalization 23 T V > V
RNN 7,14,22 T T T T? =int32? T? > T? T?
RandomNormal 1,22 > T
RandomNormalLike 1,22 T1 > T2
RandomUniform 1,22 > T
RandomUniformLike 1,22 T1 > T2
Range 11,27 T T T > T
Reciprocal 6,13 T > T
ReduceL1 11,13 T > T; 18 T =int64? > T
ReduceL2 11,13 T > T; 18 T =int64? > T
ReduceLogSum 11,13 T > T; 18 T =int64? > T
ReduceLogSumExp 11,13 T > T; 18 T =int64? > T
ReduceMax 11,12,13 T > T; 18,20 T =int64? > T
ReduceMean 11,13 T > T; 18 T =int64? > T
ReduceMin 11,12,13 T > T; 18,20 T =int64? > T
ReduceProd 11,13 T > T; 18 T =int64? > T
ReduceSum 11 T > T; 13 T =int64? > T
ReduceSumSquare 11,13 T > T; 18 T =int64? > T
RegexFullMatch 20 =string > =bool
Relu 6,13,14 T > T
Reshape 5,13,14,19,21,23,24,25 T =int64 > T
Resize 11 T1 T2 =float =int64? > T1; 13,18,19 T1 T2? =float? =int64? > T1
ReverseSequence 10 T =int64 > T
RoiAlign 10,16,22 T1 T1 =int64 > T1
RotaryEmbedding 23 T T T =int64? > T
Round 11,22 T > T
STFT 17 T1 T2 T1? T2? > T1
Scale 10 T > T
ScaledTanh 10 T > T
Scan 11,16,19,21,23,24,25 V* > V*
Scatter 11 T Tind T > T
ScatterElements 11,13,16,18 T Tind T > T
ScatterND 11,13,16,18 T =int64 T > T
Selu 6,22 T > T
Shape 1,13,15,19,21,23,24,25 T > =int64
Shrink 9 T > T
Sigmoid 6,13 T > T
Sign 9,13 T > T
SimplifiedLayerNormalization 1 T V > V U?
Sin 7,22 T > T
Sinh 9,22 T > T
Size 1,13,19,21,23,24,25 T > =int64
Slice 11,13 T Tind Tind Tind? Tind? > T
Softmax 11,13 T > T
SoftmaxCrossEntropyLoss 12,13 T Tind T? > T T?
Softplus 1,22 T > T
Softsign 1,22 T > T
SpaceToDepth 1,13 T > T
Split 11 T > T*; 13,18 T =int64? > T*
Sqrt 6,13 T > T
Squeeze 11 T > T; 13,21,23,24,25 T =int64? > T
Sub 7,13,14 T T > T
Sum 8,13 T* > T
Swish 24 T > T
Tan 7,22 T > T
Tanh 6,13 T > T
TensorScatter 24 T T =int64? > T
TfIdfVectorizer 9 T > =float
ThresholdedRelu 10,22 T > T
Tile 6,13 T =int64 > T
TopK 11,24 T =int64 > T =int64
Transpose 1,13,21,23,24,25 T > T
Trilu 14 T =int64? > T
Unique 11 T > T =int64? =int64? =int64?
Unsqueeze 11 T > T; 13,21,23,24,25 T =int64 > T
Upsample 10 T =float > T
Where 9,16 =bool T T > T
Xor 7 =bool =bool > =bool
com.microsoft:Attention 1 T T T? =int32? T? T? =int32? > T T?
com.microsoft:BeamSearch 1 F =int32 =int32? =int32 =int32 T? T? =int32? =int32? =int32? =int32? =int32? > =int32 T? T?
com.microsoft:BiasAdd 1 T T T > T
com.microsoft:BiasDropout 1 T T T? T1? =bool? > T =bool?
com.microsoft:BiasGelu 1 T T > T
com.microsoft:BiasSoftmax 1 T T > T
com.microsoft:BiasSplitGelu 1 T T > T
com.microsoft:CausalConvWithState 1 T T T? T? > T T
com.microsoft:ComplexMul 1 T T > T
com.microsoft:ComplexMulConj 1 T T > T
com.microsoft:ConvTransposeWithDynamicPads 1 T T =int64? T? > T
com.microsoft:DecoderAttention 1 T T T T T =bool? T? T? =bool =bool =bool =bool > T T? T?
com.microsoft:DecoderMaskedMultiHeadAttention 1 T T? T? =int32? T? T? T? =int32? =int32? =int32? T? > T T? T? QK?
com.microsoft:DecoderMaskedSelfAttention 1 T T T =int32? T T? =int32 =int32? =int32? > T T
com.microsoft:DequantizeLinear 1 T1 T2 T1? > T2
com.microsoft:DequantizeWithOrder 1 =int8 =float > F
com.microsoft:EmbedLayerNormalization 1 =int32 =int32? T T T? T T =int32? =int32? > T =int32? T?
com.microsoft:FastGelu 1 T T? > T
com.microsoft:FusedConv 1 T T T? T? > T
com.microsoft:FusedMatMul 1 T T > T
com.microsoft:GatedAdd 1 T T T > T
com.microsoft:GatedDeltaNet 1 T T T =int32? =float? =float? =float? =float? =float? =int32? =int32? > T =float? =float?
com.microsoft:GatedRMSNorm 1 T T T > T
com.microsoft:GatedRelativePositionBias 1 T T T T T T =int32? > T
com.microsoft:GatherBlockQuantized 1 T1 Tind T2 T1? > T2
com.microsoft:Gelu 1 T > T
com.microsoft:GemmFloat8 1 TA TB TC? =float? =float? =float? > TR
com.microsoft:GemmaRotaryEmbedding 1 =float =float16 =float16 =float16 =float16 > =float16 =float16
com.microsoft:GreedySearch 1 =int32 =int32 =int32? =float? =int32? =int32? =int32? > =int32
com.microsoft:GridSample 1 T1 T1 > T2
com.microsoft:GroupNorm 1 T M M > T
com.microsoft:GroupQueryAttention 1 T T? T? T_CACHE? T_CACHE? =int32 =int32 T? T? =int64? T? T? =float? =float? T? T? > T T_CACHE? T_CACHE? T?
com.microsoft:Inverse 1 T > T
com.microsoft:Irfft 1 T > T
com.microsoft:LinearAttention 1 T T T S? T? T? > T S
com.microsoft:LinearAttentionGate 1 T =float =float T? > T T?
com.microsoft:LongformerAttention 1 T T T T T T =int32 > T
com.microsoft:MRotaryEmbedding 1 T =int64 T T > T
com.microsoft:MatMulBlockQuantizedFp4Weight 1 T =uint8 =uint8 =float =float? T? > T
com.microsoft:MatMulBlockQuantizedFp8Weight 1 T =float8e4m3fn =float =float? T? > T
com.microsoft:MatMulBnb4 1 T1 =uint8 T1 > T1
com.microsoft:MatMulNBits 1 T1 =uint8 T1 T3? =int32? T1? > T1
com.microsoft:MoE 1 T T T T? T T? T? T? > T
com.microsoft:MultiHeadAttention 1 T T? T? T? =int32? T? T? T? =int32? =int32? > T T? T? QK?
com.microsoft:NGramRepeatBlock 1 =int64 =float > =float
com.microsoft:NhwcConv 1 T T T? > T
com.microsoft:PackedAttention 1 T T T =int32 =int32 T? > T
com.microsoft:PackedMultiHeadAttention 1 T T? T? T? =int32 =int32 T? > T
com.microsoft:PagedAttention 1 T T? T? T_CACHE T_CACHE? =int32 =int32 =int32 T? T? =int32? T? T? T? =float? =float? =int32? > T T_CACHE? T_CACHE?
com.microsoft:QAttention 1 T1 T2 T3 T3 T3 =int32? T1? T2? T3? > T3 T3?
com.microsoft:QMoE 1 T T T1 T2? T? T1 T2? T? T1? T2? T? T1? T1? T1? T? =float? =float? =float? =float? T2? T2? > T
com.microsoft:QOrderedAttention 1 =int8 =float =float =float =float =int8 =int8 =int8 =float =float =float =float =float =float =float? =float? =float =int32? =int8? =float? > =int8
com.microsoft:QOrderedGelu 1 =int8 =float =float > =int8
com.microsoft:QOrderedLayerNormalization 1 =int8 =float F F? =float > =int8
com.microsoft:QOrderedLongformerAttention 1 =int8 =float =int8 =float =float =float =float =float16 =int8 =float =float =float =int32 =float > =int8
com.microsoft:QOrderedMatMul 1 =int8 =float =int8 =float =float =float? =int8? =float? > =int8
com.microsoft:QuantizeLinear 1 T1 T1 T2? > T2
com.microsoft:QuantizeWithOrder 1 F =float > =int8
com.microsoft:QuickGelu 1 T > T
com.microsoft:RelativePositionBias 1 T =int64 =int64 > T
com.microsoft:RemovePadding 1 T =int32 > T =int32 =int32 =int32
com.microsoft:RestorePadding 1 T =int32 > T
com.microsoft:Rfft 1 T > T
com.microsoft:RotaryEmbedding 1 T =int64 T T > T
com.microsoft:Sampling 1 =int32 =int32 =int32? =float? =int32? =int32? =int32? =int32? =int32? > =int32 =float?
com.microsoft:SkipGroupNorm 1 T M M T T? > T T?
com.microsoft:SkipLayerNormalization 1 T T T T? T? > T =float? =float? T?
com.microsoft:SkipSimplifiedLayerNormalization 1 T T T T? > T =float? =float? T?
com.microsoft:SparseAttention 1 T T? T? T T =int32 =int32 =int32 =int32 T? T? > T T T
com.microsoft:TransposeMatMul 1 T T > T
com.microsoft:Trilu 1 T =int64? > T
com.microsoft:UnfoldTensor 1 T > T
com.microsoft:VarlenCausalConvWithState 1 T T =int32 T? T =int32? > T T T?
com.microsoft:WhisperBeamSearch 1 F =int32 =int32? =int32 =int32 T? T? =int32? =int32? =int32? =int32? =int32? =int32? =int32? T? > =int32 T? T? =float? T?
`;
