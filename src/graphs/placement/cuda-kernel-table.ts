// Written by models/kernels/build.ts; do not edit.

/**
 * Facts from microsoft/onnxruntime, docs/OperatorKernels.md, section CUDAExecutionProvider, at commit
 * 004b79eda305a216ab8d0e21eabe81d7713eb768 (slightly later than release 1.30.0; operators whose rows did not change since
 * commit 001d12d2623fd411ce0f83d05abb5e82304a3389 were read there). NonMaxSuppression is missing on that page, which leaves out
 * kernels without type constraints; its row is from onnxruntime/core/providers/cuda/object_detection/non_max_suppression.cc.
 * Left out: ranges that end before opset 11, sequences, random numbers, recurrent layers and the runtime's own copies.
 */
export const CUDA_KERNEL_SOURCE = 'ONNX Runtime docs/OperatorKernels.md at 004b79eda305';

/** Sets of element types that rows below refer to as @N. */
export const CUDA_TYPE_SETS: readonly string[] = [
  'float,double,float16',
  'float,double,float16,bfloat16,int8,int16,int32,int64,uint8,uint16,uint32,uint64,bool',
  'float,double,float16,bfloat16',
  'float,float16',
  'float,float16,bfloat16',
  'float,double,float16,bfloat16,float8e4m3fn,float8e4m3fnuz,float8e5m2,float8e5m2fnuz,int8,int16,int32,int64,uint8,uint16,uint32,uint64,bool',
  'int32,int64',
  'float,double,float16,int32,int64,uint32,uint64',
  'float,double,float16,bfloat16,int32,int64,uint32,uint64',
  'float,double,float16,bfloat16,float8e4m3fn,float8e4m3fnuz,float8e5m2,float8e5m2fnuz,int8,int16,int32,int64,uint8,uint16,uint32,uint64,bool,string',
  'float,double,float16,bfloat16,float8e4m3fn,float8e5m2,float4e2m1,int8,int16,int32,int64,uint8,uint16,uint32,uint64,bool',
  'float,double,float16,bfloat16,int8,int16,int32,int64,uint8,uint16,uint32,uint64,bool,string',
  'float,double,float16,bool',
  'float,double,float16,bfloat16,int8,int16,int32,int64,uint8,uint16,uint32,uint64',
  'float,double,float16,int32',
  'float,double,float16,int8,int32,int64,uint8',
  'float16,bfloat16',
  'float8e4m3fn,float8e5m2,int4,int8,uint4,uint8',
  'int8,uint8',
  'float,double,float16,bfloat16,int32,int64',
  'float,double,float16,int32,int64',
  'float,double',
  'float,double,float16,int32,uint8',
  'float,double,float16,int32,int64,uint32,uint64,bool',
  'float,float16,bfloat16,float8e4m3fn,float8e5m2',
  'float,double,float16,bfloat16,float8e4m3fn,float8e4m3fnuz,float8e5m2,float8e5m2fnuz',
  'float,double,float16,bfloat16,float8e4m3fn,float8e5m2,int8,int16,int32,int64,uint8,uint16,uint32,uint64,bool',
  'float,double,float16,bfloat16,int32',
  'float,double,float16,int64,bool',
  'float,double,float16,int8,int16,int32,int64,uint8,uint16,uint32,uint64',
  'float,double,float16,int8,int64,uint8,uint64',
  'float,double,int16,int32,int64',
  'float,double,int32,int64,uint64',
  'float,float16,bfloat16,bool',
  'float,float16,int32,int64,uint8,bool',
  'float16,bfloat16,float8e4m3fn,int8,uint8',
  'float8e4m3fn,float8e5m2,int8,uint8',
];

/** One operator a line: ranges of opsets (13+ is open, 6-12 ends), each with the element types of the schema's variables. */
export const CUDA_KERNELS = `
Abs 13+ T=@13; 6-12 T=@29
Add 14+ T=@13; 13 T=@8; 7-12 T=@7
Affine 1+ T=@0
And 7+ T=bool T1=bool
ArgMax 13+ T=@0; 12 T=@0; 1-11 T=@0
ArgMin 13+ T=@0; 12 T=@0; 1-11 T=@0
Attention 24+ T1=@4 T2=@4 U=@33; 23 T1=@4 T2=@4 U=@33
AveragePool 22+ T=@2; 19-21 T=@0; 11-18 T=@0
BatchNormalization 15+ T=@0 T1=@0 T2=@0; 14 T=@0 U=@0; 9-13 T=@0
Cast 25+ T1=@10 T2=@10; 23-24 T1=@10 T2=@10; 21-22 T1=@26 T2=@10; 19-20 T1=@26 T2=@10; 13-18 T1=@1 T2=@10; 9-12 T1=float,double,float16,int8,int16,int32,int64,uint8,uint16,uint32,uint64,bool T2=@10
Ceil 13+ T=@0; 6-12 T=@0
Clip 13+ T=@30; 12 T=@30; 11 T=float
Compress 11+ T=@1 T1=bool
Concat 13+ T=@1; 11-12 T=@1
ConstantOfShape 25+ T1=int64 T2=@1; 23-24 T1=int64 T2=@1; 21-22 T1=int64 T2=@1; 9-20 T1=int64 T2=@1
Conv 22+ T=@2; 11-21 T=@0
ConvTranspose 22+ T=@0; 11-21 T=@0
Cos 22+ T=@2; 7-21 T=@0
Crop 1+ T=@0
CumSum 14+ T=@7 T2=@6; 11-13 T=float,double,int32,int64,uint32,uint64 T2=@6
DeformConv 22+ T=@2; 19-21 T=@0
DepthToSpace 13+ T=@0; 11-12 T=@0
DequantizeLinear 25+ T1=@17 T2=@3 T3=@3; 23-24 T1=@17 T2=@3 T3=@3; 21-22 T1=@17 T2=@3; 19-20 T1=@36 T2=@3; 13-18 T=@18; 10-12 T=@18
Div 14+ T=@13; 13 T=@8; 7-12 T=@7
Dropout 13+ T=@2 T1=@2 T2=bool; 12 T=@0 T1=@0 T2=bool; 10-11 T=@0 T1=bool
DynamicSlice 1+ T=@1 Tind=@6
Einsum 12+ T=@0
Elu 6+ T=@0
Equal 19+ T=@23 T1=bool; 13-18 T=@23 T1=bool; 11-12 T=@23
Erf 13+ T=@2; 9-12 T=@0
Exp 13+ T=@2; 6-12 T=@0
Expand 13+ T=@1; 8-12 T=@1
EyeLike 9+ T1=@32 T2=@32
Flatten 25+ T=@1; 23-24 T=@1; 21-22 T=@1; 13-20 T=@1; 11-12 T=@1
Floor 13+ T=@0; 6-12 T=@0
Gather 13+ T=@1 Tind=@6; 11-12 T=@1 Tind=@6
GatherElements 13+ T=@1 Tind=@6; 11-12 T=@1 Tind=@6
GatherND 13+ T=float,double,float16,bfloat16,int64,bool indices=int64; 12 T=@28 indices=int64; 11 T=@28 indices=int64
Gelu 20+ T=@2
Gemm 13+ T=@2; 11-12 T=@0
GlobalAveragePool 22+ T=@0; 1-21 T=@0
GlobalMaxPool 22+ T=@0; 1-21 T=@0
Greater 13+ T=@7 T1=bool; 9-12 T=@7
GreaterOrEqual 16+ T=@7 T1=bool; 12-15 T=@7 T1=bool
GridSample 22+ T1=float T2=float; 20-21 T1=float T2=float; 16-19 T1=float T2=float
HardSigmoid 22+ T=@2; 6-21 T=@0
HardSwish 22+ T=@2; 14-21 T=@0
Identity 25+ V=@5; 23-24 V=@5; 21-22 V=@5; 19-20 V=@5; 14-18 V=@1; 13 T=@1; 1-12 T=@1
If 25+ B=bool V=@9; 23-24 B=bool V=@9; 21-22 B=bool V=@9; 19-20 B=bool V=@9; 13-18 B=bool V=@11; 11-12 B=bool V=@1
ImageScaler 1+ T=@0
InstanceNormalization 6+ T=@0
IsInf 20+ T1=@25 T2=bool; 10-19 T1=@21 T2=bool
IsNaN 20+ T1=@25 T2=bool; 13-19 T1=@2 T2=bool; 9-12 T1=@0 T2=bool
LRN 13+ T=@0; 1-12 T=@0
LayerNormalization 17+ T=@2 U=float; 1-16 T=@2 U=@21 V=@2
LeakyRelu 16+ T=@0; 6-15 T=@0
Less 13+ T=@7 T1=bool; 9-12 T=@7
LessOrEqual 16+ T=@7 T1=bool; 12-15 T=@7 T1=bool
Log 13+ T=@0; 6-12 T=@0
LogSoftmax 13+ T=@0; 11-12 T=@0
Loop 25+ B=bool I=int64 V=@9; 23-24 B=bool I=int64 V=@9; 21-22 B=bool I=int64 V=@9; 19-20 B=bool I=int64 V=@9; 13-18 B=bool I=int64 V=@11; 11-12 B=bool I=int64 V=@1
LpNormalization 22+ T=@4; 1-21 T=@3
MatMul 13+ T=@2; 9-12 T=@0
MatMulInteger 10+ T1=int8 T2=int8 T3=int32
Max 13+ T=@8; 12 T=@8; 6-11 T=@2
MaxPool 12+ I=int64 T=float,double,float16,int8,uint8; 11 I=int64 T=@0
Min 13+ T=@8; 12 T=@8; 6-11 T=@2
Mod 13+ T=@8; 10-12 T=@7
Mul 14+ T=@13; 13 T=@8; 7-12 T=@7
Neg 13+ T=float,double,float16,bfloat16,int8,int16,int32,int64; 6-12 T=float,double,float16,int8,int16,int32,int64
NonMaxSuppression 11+ boxes=float scores=float max_output_boxes_per_class=int64 iou_threshold=float score_threshold=float selected_indices=int64
NonZero 13+ T=@34; 9-12 T=@34
Not 1+ T=bool
OneHot 11+ T1=@6 T2=@6 T3=float,float16,int64
Or 7+ T=bool T1=bool
PRelu 16+ T=@0; 9-15 T=@0
Pad 25+ T=@12; 24 T=@12; 23 T=@12; 21-22 T=@12; 19-20 T=@12; 18 T=@12; 13-17 T=@12; 11-12 T=@0
ParametricSoftplus 1+ T=@0
Pow 15+ T=@19 T1=@19; 13-14 T=@19 T1=@20; 12 T=@20 T1=@20; 7-11 T=@0
QuantizeLinear 25+ T1=@3 T2=@3 T3=@17; 23-24 T1=@3 T2=@3 T3=@17; 21-22 T1=@3 T2=@17; 19-20 T1=@3 T2=@36; 13-18 T1=float T2=@18; 10-12 T1=float T2=@18
RMSNormalization 23+ T=@2 V=@2
Range 27+ T=@31; 11-26 T=@31
Reciprocal 13+ T=@0; 6-12 T=@0
ReduceL1 18+ T=@14; 1-17 T=@14
ReduceL2 18+ T=@14; 1-17 T=@14
ReduceLogSum 18+ T=@0; 1-17 T=@0
ReduceLogSumExp 18+ T=@0; 1-17 T=@0
ReduceMax 20+ T=@15; 18-19 T=@15; 1-17 T=@15
ReduceMean 18+ T=@27; 1-17 T=@27
ReduceMin 20+ T=@15; 18-19 T=@15; 1-17 T=@15
ReduceProd 18+ T=@14; 1-17 T=@14
ReduceSum 13+ T=@19; 1-12 T=@20
ReduceSumSquare 18+ T=@0; 1-17 T=@0
Relu 14+ T=@2; 13 T=@2; 6-12 T=@0
Reshape 25+ T=@5 shape=int64; 23-24 T=@5 shape=int64; 21-22 T=@5 shape=int64; 19-20 T=@5 shape=int64; 14-18 T=@1 shape=int64; 13 T=@1 shape=int64; 5-12 T=@1 shape=int64
Resize 19+ T1=@22; 18 T1=@22; 13-17 T1=@22; 11-12 T1=@22
ReverseSequence 10+ T=@1
RoiAlign 22+ T1=@2 T2=int64; 16-21 T1=@0 T2=int64; 10-15 T1=@21 T2=int64
RotaryEmbedding 23+ M=int64 T=@4
Round 22+ T=@0; 11-21 T=@0
ScaledTanh 1+ T=@0
Scan 25+ V=@5; 23-24 V=@5; 21-22 V=@5; 19-20 V=@5; 16-18 V=@1; 11-15 V=@1
ScatterElements 18+ T=@1 Tind=@6; 16-17 T=@1 Tind=@6; 13-15 T=@1 Tind=@6; 11-12 T=@1 Tind=@6
ScatterND 18+ T=@1; 16-17 T=@1; 13-15 T=@1; 11-12 T=@1
Selu 6+ T=@0
Shape 25+ T=@5 T1=int64; 23-24 T=@5 T1=int64; 21-22 T=@5 T1=int64; 19-20 T=@5 T1=int64; 15-18 T=@1 T1=int64; 13-14 T=@1 T1=int64; 1-12 T=@1 T1=int64
Shrink 9+ T=@29
Sigmoid 13+ T=@2; 6-12 T=@0
Sign 13+ T=@13
SimplifiedLayerNormalization 1+ T=@2 U=@21 V=@2
Sin 22+ T=@2; 7-21 T=@0
Size 25+ T=@11 T1=int64; 23-24 T=@11 T1=int64; 21-22 T=@11 T1=int64; 13-20 T=@11 T1=int64; 1-12 T=@11 T1=int64
Slice 13+ T=@1 Tind=@6; 11-12 T=@1 Tind=@6
Softmax 13+ T=@2; 11-12 T=@0
Softplus 22+ T=@2; 1-21 T=@0
Softsign 22+ T=@2; 1-21 T=@0
SpaceToDepth 13+ T=@0; 1-12 T=@0
Split 18+ T=@1; 13-17 T=@1; 11-12 T=@1
Sqrt 13+ T=@2; 6-12 T=@0
Squeeze 25+ T=@1; 24 T=@1; 23 T=@1; 21-22 T=@1; 13-20 T=@1; 11-12 T=@1
Sub 14+ T=@13; 13 T=@8; 7-12 T=@7
Sum 13+ T=@2; 8-12 T=@2
Tanh 13+ T=@2; 6-12 T=@0
TensorScatter 24+ T=@1
ThresholdedRelu 10+ T=@0; 1+ T=@0
Tile 13+ T=@19 T1=int64; 6-12 T=@20 T1=int64
TopK 24+ I=int64 T=float,double,float16,bfloat16,int8,int16,int32,int64,uint8; 11-23 I=int64 T=float,double,float16,int8,int16,int32,int64,uint8
Transpose 25+ T=@1; 23-24 T=@1; 21-22 T=@1; 13-20 T=@1; 1-12 T=@1
Trilu 14+ T=@1
Unsqueeze 25+ T=@1; 24 T=@1; 23 T=@1; 21-22 T=@1; 13-20 T=@1; 11-12 T=@1
Where 16+ B=bool T=float,double,float16,bfloat16,int32,int64,uint8; 9-15 B=bool T=float,double,float16,int32,int64,uint8
Xor 7+ T=bool T1=bool
com.microsoft:Attention 1+ T=@4
com.microsoft:BeamSearch 1+ T=@3
com.microsoft:BiasAdd 1+ T=@3
com.microsoft:BiasDropout 1+ T=@2 T1=@2 T2=bool
com.microsoft:BiasGelu 1+ T=@2
com.microsoft:BiasSoftmax 1+ T=@0
com.microsoft:BiasSplitGelu 1+ T=@3
com.microsoft:CausalConvWithState 1+ T=@4
com.microsoft:ComplexMul 1+ T=@3
com.microsoft:ComplexMulConj 1+ T=@3
com.microsoft:ConvTransposeWithDynamicPads 1+ T=float
com.microsoft:DecoderAttention 1+ T=@3
com.microsoft:DecoderMaskedMultiHeadAttention 1+ QK=@3 T=@3
com.microsoft:DecoderMaskedSelfAttention 1+ T=@3
com.microsoft:DequantizeLinear 1+ T1=@18 T2=float16
com.microsoft:DequantizeWithOrder 1+ F=@3 Q=int8 S=float
com.microsoft:EmbedLayerNormalization 1+ T=@3
com.microsoft:FastGelu 1+ T=@2
com.microsoft:FusedConv 1+ T=float
com.microsoft:FusedMatMul 1+ T=@2
com.microsoft:GatedAdd 1+ T=@4
com.microsoft:GatedDeltaNet 1+ T=@4 TI=int32 TS=float
com.microsoft:GatedRMSNorm 1+ T=@4
com.microsoft:GatedRelativePositionBias 1+ T=@3
com.microsoft:GatherBlockQuantized 1+ T1=float8e4m3fn,float8e4m3fnuz,float8e5m2,float8e5m2fnuz,float4e2m1,int4,uint4,uint8 T2=@4 Tind=@6
com.microsoft:Gelu 1+ T=@2
com.microsoft:GemmFloat8 1+ TA=@24 TB=@24 TR=@24 TS=float
com.microsoft:GemmaRotaryEmbedding 1+ T=float16 U=float
com.microsoft:GreedySearch 1+ T=@3
com.microsoft:GridSample 1+ T1=float T2=float
com.microsoft:GroupNorm 1+ T=@3
com.microsoft:GroupQueryAttention 1+ M=int32 T=@16 T_CACHE=@35 T_KV_SCALE=float
com.microsoft:Inverse 1+ T=@0
com.microsoft:Irfft 1+ T=@0
com.microsoft:LinearAttention 1+ T=@4
com.microsoft:LinearAttentionGate 1+ T=@4 TF=float
com.microsoft:LongformerAttention 1+ T=@3
com.microsoft:MRotaryEmbedding 1+ M=int64 T=@4
com.microsoft:MatMulBlockQuantizedFp4Weight 1+ T=@16 T1=uint8 T2=uint8 T3=float
com.microsoft:MatMulBlockQuantizedFp8Weight 1+ T=@16 T1=float8e4m3fn T2=float
com.microsoft:MatMulBnb4 1+ T1=@4 T2=uint8
com.microsoft:MatMulNBits 1+ T1=@4 T2=uint8 T3=float,float16,bfloat16,uint8
com.microsoft:MoE 1+ T=@4
com.microsoft:MultiHeadAttention 1+ QK=@4 T=@4
com.microsoft:NGramRepeatBlock 1+ T=float Tid=int64
com.microsoft:NhwcConv 1+ T=@3
com.microsoft:PackedAttention 1+ T=@3
com.microsoft:PackedMultiHeadAttention 1+ T=@3
com.microsoft:PagedAttention 1+ S=int32 T=@16 T_CACHE=@35 T_KV_SCALE=float
com.microsoft:QAttention 1+ T1=int8 T2=int8 T3=@3 T4=int32
com.microsoft:QMoE 1+ T=@16 T1=float8e4m3fn,uint8 T2=float16,bfloat16,float8e4m3fn,float8e8m0 T4=float
com.microsoft:QOrderedAttention 1+ G=int32 Q=int8 S=float
com.microsoft:QOrderedGelu 1+ Q=int8 S=float
com.microsoft:QOrderedLayerNormalization 1+ F=@3 Q=int8 S=float
com.microsoft:QOrderedLongformerAttention 1+ F=float16 G=int32 Q=int8 S=float
com.microsoft:QOrderedMatMul 1+ Q=int8 S=float
com.microsoft:QuantizeLinear 1+ T1=float16 T2=@18
com.microsoft:QuantizeWithOrder 1+ F=@3 Q=int8 S=float
com.microsoft:QuickGelu 1+ T=@2
com.microsoft:RelativePositionBias 1+ T=@3
com.microsoft:RemovePadding 1+ T=@3
com.microsoft:RestorePadding 1+ T=@3
com.microsoft:Rfft 1+ T=@0
com.microsoft:RotaryEmbedding 1+ M=int64 T=@4
com.microsoft:Sampling 1+ T=@3
com.microsoft:SkipGroupNorm 1+ T=@3
com.microsoft:SkipLayerNormalization 1+ T=@4
com.microsoft:SkipSimplifiedLayerNormalization 1+ T=@4
com.microsoft:SparseAttention 1+ M=int32 T=@16
com.microsoft:TransposeMatMul 1+ T=@2
com.microsoft:Trilu 1+ T=@1
com.microsoft:UnfoldTensor 1+ T=@11
com.microsoft:VarlenCausalConvWithState 1+ M=int32 T=@4
com.microsoft:WhisperBeamSearch 1+ T=@3
`;
