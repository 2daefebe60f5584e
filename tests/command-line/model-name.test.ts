import assert from 'node:assert/strict';
import test from 'node:test';
import { UsageError } from '../../src/errors.ts';
import { modelName } from '../../src/model-name.ts';

const names: readonly (readonly [given: string, type: string, crate: string])[] = [
  ['Test', 'TestModel', 'test_model'],
  ['test', 'TestModel', 'test_model'],
  ['MNIST', 'MNISTModel', 'mnist_model'],
  ['my-net 2', 'MyNet2Model', 'my_net_2_model'],
  ['ResNet50', 'ResNet50Model', 'res_net50_model'],
  ['MNISTNet', 'MNISTNetModel', 'mnist_net_model'],
  ['resnet_50', 'Resnet50Model', 'resnet_50_model'],
  ['mobilenetV2', 'MobilenetV2Model', 'mobilenet_v2_model'],
  ['My_Net', 'MyNetModel', 'my_net_model'],
  ['v1.2', 'V1_2Model', 'v1_2_model'],
  ['V1_2', 'V1_2Model', 'v1_2_model'],
  ['a', 'AModel', 'a_model'],
  ['__x__', 'XModel', 'x_model'],
  ['  spam/filter:0 ', 'SpamFilter0Model', 'spam_filter_0_model'],
  ['2', 'Net2Model', 'net_2_model'],
  ['3d-unet', 'Net3dUnetModel', 'net_3d_unet_model'],
  ['self', 'SelfModel', 'self_model'],
  ['Self', 'SelfModel', 'self_model'],
  ['type', 'TypeModel', 'type_model'],
  ['std', 'StdModel', 'std_model'],
  ['core', 'CoreModel', 'core_model'],
  ['tf_layers', 'TfLayersModel', 'tf_layers_model'],
  ['Model', 'ModelModel', 'model_model'],
  ['Café', 'CafeModel', 'cafe_model'],
  ['größe', 'GrosseModel', 'grosse_model'],
  ['Łódź', 'LodzModel', 'lodz_model'],
  ['ﬁne', 'FineModel', 'fine_model'],
  ['模型 v3', 'V3Model', 'v3_model'],
  ['../../etc', 'EtcModel', 'etc_model'],
  ['x"; evil()', 'XEvilModel', 'x_evil_model'],
];

for (const [given, type, crate] of names) {
  test(`"${given}" names ${type} and ${crate}`, () => {
    assert.deepEqual(modelName(given), { given, type, crate });
  });
}

for (const given of ['', ' ', '_', '--', '模型', '🤖', '\0']) {
  test(`${JSON.stringify(given)} leaves nothing`, () => {
    assert.throws(() => modelName(given), { name: 'UsageError', message: /leaves nothing for a Rust name/ });
  });
}

test('a name that makes too long a file is refused', () => {
  assert.equal(modelName('x'.repeat(100)).type, `X${'x'.repeat(99)}Model`);
  assert.throws(() => modelName('x'.repeat(101)), UsageError);
  assert.throws(() => modelName('ﷺ'.repeat(100_000)), UsageError);
});
