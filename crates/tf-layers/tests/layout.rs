//! The struct of a model's layers is its weights and nothing else, so that a file of them can be
//! used in place: every type of layer can stand beside every other without padding.

use tf_layers::zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};
use tf_layers::{
    BatchNormalization, Constant, Conv1D, Conv2D, Dense, DepthwiseConv1D, DepthwiseConv2D,
    Embedding, GroupedConv1D, GroupedConv2D, Row,
};

/// As generated crates have it. It compiles only without padding.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout)]
#[zerocopy(crate = "tf_layers::zerocopy")]
#[repr(C)]
struct Layers {
    batch_normalization: BatchNormalization<3, 2>,
    flags: Constant<[u8; 3], 1>,
    dense: Dense<5, 3, 6>,
    words: Constant<[[i64; 3]; 3], 2>,
    conv1d: Conv1D<3, 2, 5, 7>,
    offset: Constant<f64, 1>,
    conv2d: Conv2D<1, 2, 3, 17, 14>,
    number: Constant<f32, 1>,
    grouped_conv1d: GroupedConv1D<2, 3, 4, 2, 14>,
    grouped_conv2d: GroupedConv2D<1, 1, 2, 6, 3, 9>,
    embedding: Embedding<7, 5, 3>,
    depthwise_conv1d: DepthwiseConv1D<2, 3, 2, 3>,
    steps: Constant<[i32; 17], 2>,
    depthwise_conv2d: DepthwiseConv2D<2, 2, 5, 1, 5>,
}

const ROWS: usize = 2 + 1 + 6 + 2 + 7 + 1 + 14 + 1 + 14 + 9 + 3 + 3 + 2 + 5;

#[test]
fn layers_are_rows_and_nothing_else() {
    assert_eq!(size_of::<Layers>(), ROWS * size_of::<Row>());
    assert_eq!(align_of::<Layers>(), align_of::<Row>());
    let layers = Layers::new_box_zeroed().unwrap();
    let copy = Layers::read_from_bytes(layers.as_bytes()).unwrap();
    assert_eq!(copy.words.values(), [[[0; 3]; 3]]);
    assert_eq!(copy.offset.values(), [0.0]);
}
