//! The 65 instructions of the paper (supplement, table "ops vocabulary") and what each one takes.
//!
//! The numbers are those of the released code, OP0 to OP64. Signatures and costs stand in one
//! table; what an instruction computes is said once, in [`super::scalar`], and a second time for
//! speed in [`super::lanes`].

use serde::{Deserialize, Serialize};

/// A kind of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One number, `s0` and so on.
    Scalar,
    /// As many numbers as there are features, `v0` and so on.
    Vector,
    /// A square of numbers, `m0` and so on.
    Matrix,
}

impl Kind {
    /// The letter its registers begin with.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Scalar => 's',
            Self::Vector => 'v',
            Self::Matrix => 'm',
        }
    }

    /// The first register of this kind that an instruction may write: `s0` is the label, `v0` the
    /// features.
    #[must_use]
    pub fn first_out(self) -> u8 {
        match self {
            Self::Scalar | Self::Vector => 1,
            Self::Matrix => 0,
        }
    }
}

/// The constants that an instruction carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// None.
    Nothing,
    /// A number.
    Number,
    /// A place in a vector, as a part of its length, and a number.
    VectorEntry,
    /// A row and a column, as parts of the side, and a number.
    MatrixEntry,
    /// A mean and a standard deviation.
    Gaussian,
    /// The ends of an interval.
    Uniform,
}

impl Data {
    /// How many constants there are.
    #[must_use]
    pub fn len(self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Number => 1,
            Self::VectorEntry | Self::Gaussian | Self::Uniform => 2,
            Self::MatrixEntry => 3,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::Nothing
    }
}

/// What an instruction does; the numbers are those of the paper.
#[expect(
    missing_docs,
    reason = "the names are the documentation; the table says the rest"
)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Op {
    #[default]
    NoOp,
    ScalarSum,
    ScalarDiff,
    ScalarProduct,
    ScalarDivision,
    ScalarAbs,
    ScalarReciprocal,
    ScalarSin,
    ScalarCos,
    ScalarTan,
    ScalarArcSin,
    ScalarArcCos,
    ScalarArcTan,
    ScalarExp,
    ScalarLog,
    ScalarHeaviside,
    VectorHeaviside,
    MatrixHeaviside,
    ScalarVectorProduct,
    ScalarBroadcast,
    VectorReciprocal,
    VectorNorm,
    VectorAbs,
    VectorSum,
    VectorDiff,
    VectorProduct,
    VectorDivision,
    VectorInnerProduct,
    VectorOuterProduct,
    ScalarMatrixProduct,
    MatrixReciprocal,
    MatrixVectorProduct,
    VectorColumnBroadcast,
    VectorRowBroadcast,
    MatrixNorm,
    MatrixColumnNorm,
    MatrixRowNorm,
    MatrixTranspose,
    MatrixAbs,
    MatrixSum,
    MatrixDiff,
    MatrixProduct,
    MatrixDivision,
    MatrixMatrixProduct,
    ScalarMin,
    VectorMin,
    MatrixMin,
    ScalarMax,
    VectorMax,
    MatrixMax,
    VectorMean,
    MatrixMean,
    MatrixRowMean,
    MatrixRowStDev,
    VectorStDev,
    MatrixStDev,
    ScalarConst,
    VectorConst,
    MatrixConst,
    ScalarUniform,
    VectorUniform,
    MatrixUniform,
    ScalarGaussian,
    VectorGaussian,
    MatrixGaussian,
}

/// What an operation takes and gives.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// The operation.
    pub op: Op,
    /// What it is called on the command line.
    pub name: &'static str,
    /// The kind of what it writes; none for the one that does nothing.
    pub out: Option<Kind>,
    /// The kinds of what it reads.
    pub ins: &'static [Kind],
    /// Its constants.
    pub data: Data,
    /// What it costs, in the released code's units divided by a million: the time it took there.
    pub cost: f32,
}

const S: Kind = Kind::Scalar;
const V: Kind = Kind::Vector;
const M: Kind = Kind::Matrix;

const fn row(op: Op, name: &'static str, out: Kind, ins: &'static [Kind], cost: f32) -> Signature {
    Signature {
        op,
        name,
        out: Some(out),
        ins,
        data: Data::Nothing,
        cost,
    }
}

const fn set(op: Op, name: &'static str, out: Kind, data: Data, cost: f32) -> Signature {
    Signature {
        op,
        name,
        out: Some(out),
        ins: &[],
        data,
        cost,
    }
}

/// Every operation, in the paper's order.
pub const SIGNATURES: [Signature; 65] = [
    Signature {
        op: Op::NoOp,
        name: "no_op",
        out: None,
        ins: &[],
        data: Data::Nothing,
        cost: 3.013_921,
    },
    row(Op::ScalarSum, "scalar_sum", S, &[S, S], 4.703_759),
    row(Op::ScalarDiff, "scalar_diff", S, &[S, S], 5.102_027),
    row(Op::ScalarProduct, "scalar_product", S, &[S, S], 4.418_347),
    row(Op::ScalarDivision, "scalar_division", S, &[S, S], 3.963_916),
    row(Op::ScalarAbs, "scalar_abs", S, &[S], 3.684_352),
    row(
        Op::ScalarReciprocal,
        "scalar_reciprocal",
        S,
        &[S],
        4.212_086,
    ),
    row(Op::ScalarSin, "scalar_sin", S, &[S], 7.538_523),
    row(Op::ScalarCos, "scalar_cos", S, &[S], 7.452_807),
    row(Op::ScalarTan, "scalar_tan", S, &[S], 7.583_203),
    row(Op::ScalarArcSin, "scalar_arcsin", S, &[S], 9.145_616),
    row(Op::ScalarArcCos, "scalar_arccos", S, &[S], 7.673_039),
    row(Op::ScalarArcTan, "scalar_arctan", S, &[S], 9.273_978),
    row(Op::ScalarExp, "scalar_exp", S, &[S], 11.755_929),
    row(Op::ScalarLog, "scalar_log", S, &[S], 11.627_725),
    row(Op::ScalarHeaviside, "scalar_heaviside", S, &[S], 4.057_075),
    row(Op::VectorHeaviside, "vector_heaviside", V, &[V], 3.965_743),
    row(Op::MatrixHeaviside, "matrix_heaviside", M, &[M], 6.728_311),
    row(
        Op::ScalarVectorProduct,
        "scalar_vector_product",
        V,
        &[S, V],
        3.705_015,
    ),
    row(Op::ScalarBroadcast, "scalar_broadcast", V, &[S], 4.165_814),
    row(
        Op::VectorReciprocal,
        "vector_reciprocal",
        V,
        &[V],
        6.311_851,
    ),
    row(Op::VectorNorm, "vector_norm", S, &[V], 4.810_562),
    row(Op::VectorAbs, "vector_abs", V, &[V], 3.713_533),
    row(Op::VectorSum, "vector_sum", V, &[V, V], 4.701_519),
    row(Op::VectorDiff, "vector_diff", V, &[V, V], 4.165_747),
    row(Op::VectorProduct, "vector_product", V, &[V, V], 4.504_555),
    row(Op::VectorDivision, "vector_division", V, &[V, V], 4.556_237),
    row(
        Op::VectorInnerProduct,
        "vector_inner_product",
        S,
        &[V, V],
        4.294_617,
    ),
    row(
        Op::VectorOuterProduct,
        "vector_outer_product",
        M,
        &[V, V],
        9.833_707,
    ),
    row(
        Op::ScalarMatrixProduct,
        "scalar_matrix_product",
        M,
        &[S, M],
        5.986_302,
    ),
    row(
        Op::MatrixReciprocal,
        "matrix_reciprocal",
        M,
        &[M],
        24.336_141,
    ),
    row(
        Op::MatrixVectorProduct,
        "matrix_vector_product",
        V,
        &[M, V],
        9.310_002,
    ),
    row(
        Op::VectorColumnBroadcast,
        "vector_column_broadcast",
        M,
        &[V],
        10.993_088,
    ),
    row(
        Op::VectorRowBroadcast,
        "vector_row_broadcast",
        M,
        &[V],
        11.087_322,
    ),
    row(Op::MatrixNorm, "matrix_norm", S, &[M], 6.422_746),
    row(
        Op::MatrixColumnNorm,
        "matrix_column_norm",
        V,
        &[M],
        6.682_187,
    ),
    row(Op::MatrixRowNorm, "matrix_row_norm", V, &[M], 13.351_123),
    row(Op::MatrixTranspose, "matrix_transpose", M, &[M], 9.394_756),
    row(Op::MatrixAbs, "matrix_abs", M, &[M], 4.630_926),
    row(Op::MatrixSum, "matrix_sum", M, &[M, M], 5.579_381),
    row(Op::MatrixDiff, "matrix_diff", M, &[M, M], 5.429_452),
    row(Op::MatrixProduct, "matrix_product", M, &[M, M], 5.475_227),
    row(
        Op::MatrixDivision,
        "matrix_division",
        M,
        &[M, M],
        18.234_378,
    ),
    row(
        Op::MatrixMatrixProduct,
        "matrix_matrix_product",
        M,
        &[M, M],
        14.516_296,
    ),
    row(Op::ScalarMin, "scalar_min", S, &[S, S], 3.677_265),
    row(Op::VectorMin, "vector_min", V, &[V, V], 3.989_956),
    row(Op::MatrixMin, "matrix_min", M, &[M, M], 5.457_728),
    row(Op::ScalarMax, "scalar_max", S, &[S, S], 4.573_695),
    row(Op::VectorMax, "vector_max", V, &[V, V], 3.974_229),
    row(Op::MatrixMax, "matrix_max", M, &[M, M], 5.840_952),
    row(Op::VectorMean, "vector_mean", S, &[V], 4.280_443),
    row(Op::MatrixMean, "matrix_mean", S, &[M], 4.595_196),
    row(Op::MatrixRowMean, "matrix_row_mean", V, &[M], 9.763_956),
    row(Op::MatrixRowStDev, "matrix_row_st_dev", V, &[M], 16.766_477),
    row(Op::VectorStDev, "vector_st_dev", S, &[V], 5.585_73),
    row(Op::MatrixStDev, "matrix_st_dev", S, &[M], 10.640_216),
    set(Op::ScalarConst, "scalar_const", S, Data::Number, 3.691_108),
    set(
        Op::VectorConst,
        "vector_const",
        V,
        Data::VectorEntry,
        3.991_421,
    ),
    set(
        Op::MatrixConst,
        "matrix_const",
        M,
        Data::MatrixEntry,
        3.693_035,
    ),
    set(
        Op::ScalarUniform,
        "scalar_uniform",
        S,
        Data::Uniform,
        26.610_704,
    ),
    set(
        Op::VectorUniform,
        "vector_uniform",
        V,
        Data::Uniform,
        57.817_37,
    ),
    set(
        Op::MatrixUniform,
        "matrix_uniform",
        M,
        Data::Uniform,
        208.339_45,
    ),
    set(
        Op::ScalarGaussian,
        "scalar_gaussian",
        S,
        Data::Gaussian,
        20.775_635,
    ),
    set(
        Op::VectorGaussian,
        "vector_gaussian",
        V,
        Data::Gaussian,
        77.483_02,
    ),
    set(
        Op::MatrixGaussian,
        "matrix_gaussian",
        M,
        Data::Gaussian,
        277.690_4,
    ),
];

impl Op {
    /// What it takes and gives.
    #[must_use]
    pub fn signature(self) -> &'static Signature {
        &SIGNATURES[self as usize]
    }

    /// Whether it draws random numbers.
    #[must_use]
    pub fn is_random(self) -> bool {
        self as u8 >= Op::ScalarUniform as u8
    }

    /// Whether it writes one entry and keeps the others.
    #[must_use]
    pub fn is_partial(self) -> bool {
        matches!(self, Self::VectorConst | Self::MatrixConst)
    }

    /// Whether its two inputs may change places without a bit of the result changing.
    ///
    /// Minimum and maximum are not among them: they give the second where one is not a number.
    #[must_use]
    pub fn is_commutative(self) -> bool {
        matches!(
            self,
            Self::ScalarSum
                | Self::ScalarProduct
                | Self::VectorSum
                | Self::VectorProduct
                | Self::VectorInnerProduct
                | Self::MatrixSum
                | Self::MatrixProduct
        )
    }

    /// The operation of a name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        SIGNATURES
            .iter()
            .find(|row| row.name == name)
            .map(|row| row.op)
    }
}

impl Serialize for Op {
    fn serialize<T: serde::Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        serializer.serialize_str(self.signature().name)
    }
}

impl<'de> Deserialize<'de> for Op {
    fn deserialize<T: serde::Deserializer<'de>>(deserializer: T) -> Result<Self, T::Error> {
        let name = String::deserialize(deserializer)?;
        Self::by_name(&name)
            .ok_or_else(|| serde::de::Error::custom(format!("there is no instruction {name}")))
    }
}

/// Registers of each kind that a program may name.
pub const MAX_REGISTERS: u8 = 20;

/// One instruction: 16 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Instruction {
    /// What it does.
    pub op: Op,
    /// The register it writes, of the kind that the operation says.
    pub out: u8,
    /// The registers it reads; 0 where it reads fewer.
    pub ins: [u8; 2],
    /// Its constants; 0 where it has fewer.
    pub data: [f32; 3],
}

impl Instruction {
    /// An instruction that reads registers.
    #[must_use]
    pub fn new(op: Op, ins: &[u8], out: u8) -> Self {
        let mut instruction = Self {
            op,
            out,
            ..Self::default()
        };
        for (place, &register) in instruction.ins.iter_mut().zip(ins) {
            *place = register;
        }
        instruction
    }

    /// An instruction that carries constants.
    #[must_use]
    pub fn with_data(op: Op, out: u8, data: &[f32]) -> Self {
        let mut instruction = Self {
            op,
            out,
            ..Self::default()
        };
        for (place, &value) in instruction.data.iter_mut().zip(data) {
            *place = value;
        }
        instruction
    }
}
