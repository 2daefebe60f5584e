/**
 * HDF5 files, as h5py writes them for Keras: groups of groups and datasets, all of which carry attributes.
 * The format is described in the "HDF5 File Format Specification" of the HDF Group, version 3.0 and newer.
 */

import { refuse } from '../../errors.ts';
import { bytesOf, elements } from '../../ir/types.ts';
import { type AnyTensor, dtypeOf, type StringTensor } from '../element-types.ts';
import type { Source } from '../files.ts';
import { readAttributes } from './attributes.ts';
import { decoded, mostDecodedBytes, readBytes, type StoredArray } from './dataset.ts';
import { type Datatype, readDataspace, readDatatype } from './datatype.ts';
import type { OpenFile } from './file.ts';
import { readFilters } from './filters.ts';
import { readLayout } from './layout.ts';
import { type Link, readLinks } from './links.ts';
import { type HeaderMessage, readObjectHeader } from './object-header.ts';
import { readSuperblock } from './superblock.ts';

export type Hdf5Object = Group | Dataset;

export interface Group extends WithAttributes {
  readonly kind: 'group';
  /** The names of its children, in the order of creation where the file keeps it, in that of the names otherwise. */
  readonly children: readonly string[];
  /** The child of that name, or what a path of names such as `dense/kernel:0` leads to; undefined if there is none. */
  child(path: string): Hdf5Object | undefined;
  /** The same, of a child that must be there, and be a group, or a dataset. */
  group(path: string): Group;
  dataset(path: string): Dataset;
}

export interface Dataset extends WithAttributes {
  readonly kind: 'dataset';
  readonly shape: readonly number[];
  /** Reads the elements. float16 and bfloat16 are widened to f32, and narrow integers to i32. */
  tensor(): AnyTensor;
}

interface WithAttributes {
  /** From the root: `/model_weights/dense`. */
  readonly path: string;
  readonly attributes: readonly string[];
  attribute(name: string): AnyTensor | undefined;
  /** An attribute that is one string; undefined if there is none of the name. */
  text(name: string): string | undefined;
  /** An attribute that is a list of strings. */
  texts(name: string): readonly string[] | undefined;
}

/** The root group of the file. Groups and datasets are read when they are asked for, and tensors each time. */
export function openHdf5(source: Source): Group {
  const { file, root } = readSuperblock(source);
  const object = readObject({ file, decodedBytes: 0, objects: new Map() }, root, '/');
  if (object.kind !== 'group') refuse(source.name, 'damaged: its root is no group');
  return object;
}

/** What the objects of a file have in common. */
interface Opened {
  readonly file: OpenFile;
  /** The tensors that were read take so many bytes. */
  decodedBytes: number;
  /** Those that were opened, by the addresses of their headers. */
  readonly objects: Map<number, Hdf5Object>;
}

function readObject(opened: Opened, address: number, path: string): Hdf5Object {
  const known = opened.objects.get(address);
  if (known?.path === path) return known;
  // A group that lies in itself has endless paths, and groups in many others have too many.
  if (known?.kind === 'group') {
    refuse(
      opened.file.source.name,
      `has the group "${known.path}" under another name, "${path}", too, which is not supported`,
    );
  }
  const messages = readObjectHeader(opened.file, address);
  const isDataset = messages.some(({ kind }) => kind === 'layout');
  const object = isDataset ? readDataset(opened, messages, path) : readGroup(opened, messages, path);
  opened.objects.set(address, object);
  return object;
}

function readGroup(opened: Opened, messages: readonly HeaderMessage[], path: string): Group {
  const { file } = opened;
  if (path.split('/').length > deepest) {
    refuse(file.source.name, `has groups that lie more than ${deepest} deep, which is not supported`);
  }
  const links = readLinks(file, messages);
  const where = objectName(file, path);
  const step = (name: string): Hdf5Object | undefined => {
    const link = links.get(name);
    const childPath = `${path === '/' ? '' : path}/${name}`;
    return link && readObject(opened, target(file, link, childPath), childPath);
  };
  const child = (path: string): Hdf5Object | undefined => {
    const [name, ...rest] = path.split('/').filter((part) => part !== '');
    const next = name === undefined ? undefined : step(name);
    if (next === undefined || rest.length === 0) return next;
    return next.kind === 'group' ? next.child(rest.join('/')) : undefined;
  };
  return {
    kind: 'group',
    ...withAttributes(file, messages, path),
    children: [...links.keys()],
    child,
    group(path) {
      const found = child(path) ?? refuse(where, `has no group "${path}"`);
      return found.kind === 'group' ? found : refuse(where, `"${path}" is a dataset instead of a group`);
    },
    dataset(path) {
      const found = child(path) ?? refuse(where, `has no dataset "${path}"`);
      return found.kind === 'dataset' ? found : refuse(where, `"${path}" is a group instead of a dataset`);
    },
  };
}

/** Models lie in one another a few times at most. */
const deepest = 100;

function target({ source }: OpenFile, link: Link, path: string): number {
  if (link.kind === 'hard') return link.address;
  return refuse(
    source.name,
    `"${path}" is ${link.kind === 'soft' ? 'a soft link' : 'a link to another file'}, which is not supported`,
  );
}

function readDataset(opened: Opened, messages: readonly HeaderMessage[], path: string): Dataset {
  const { file } = opened;
  const where = objectName(file, path);
  const message = (kind: HeaderMessage['kind']) => {
    const found = messages.find((message) => message.kind === kind);
    return found && { ...found.cursor, where, what: kind === 'dataspace' ? 'its shape' : `its ${kind}` };
  };
  if (message('external files')) refuse(where, 'has its elements in other files, which is not supported');
  const dataspace = message('dataspace') ?? refuse(where, 'damaged: it has no shape');
  const datatype = message('datatype') ?? refuse(where, 'damaged: it has no datatype');
  const layout = message('layout') ?? refuse(where, 'damaged: its elements lie nowhere');
  const filters = message('filters');
  const array: StoredArray = {
    ...readDataspace(dataspace, file.lengthBytes),
    datatype: readDatatype(datatype),
    layout: readLayout(file, layout),
    filters: filters === undefined ? [] : readFilters(filters),
  };
  const attributes = withAttributes(file, messages, path);
  let isCounted = false;
  return {
    kind: 'dataset',
    ...attributes,
    shape: array.shape,
    tensor() {
      const datatype = typeOf(array, attributes);
      if (!isCounted) count(opened, datatype, array.shape, where);
      isCounted = true;
      return decoded(file, datatype, array.shape, readBytes(file, array, where), where);
    },
  };
}

/** Keras writes bfloat16, which h5py doesn't know, as two bytes of anything, and says so: keras/src/saving/saving_lib.py. */
function typeOf({ datatype }: StoredArray, attributes: WithAttributes): Datatype {
  const isBfloat16 =
    datatype.kind === 'opaque' && datatype.bytesPerElement === 2 && attributes.text('dtype') === 'bfloat16';
  return isBfloat16
    ? { kind: 'numbers', type: 'bfloat16', isBigEndian: false, bytesPerElement: 2 }
    : datatype;
}

/** Datasets that share their bytes, or are compressed, make a small file claim endless memory. */
function count(opened: Opened, datatype: Datatype, shape: readonly number[], where: string): void {
  const { source } = opened.file;
  const dtype = datatype.kind === 'numbers' ? dtypeOf(datatype.type) : undefined;
  const width = dtype === undefined || dtype === 'string' ? datatype.bytesPerElement : bytesOf(dtype);
  opened.decodedBytes += elements(shape) * width;
  const most = Math.max(mostDecodedBytes, 4 * source.size);
  if (opened.decodedBytes > most) {
    refuse(
      where,
      `this and the datasets before it take more than ${most} bytes, but the file has ${source.size}`,
    );
  }
}

function withAttributes(file: OpenFile, messages: readonly HeaderMessage[], path: string): WithAttributes {
  const attributes = readAttributes(file, messages);
  const nameOf = (name: string) => `${objectName(file, path)}, attribute "${name}"`;
  const values = new Map<string, AnyTensor>();
  const attribute = (name: string) => {
    const value = values.get(name) ?? attributes.get(name)?.read(nameOf(name));
    if (value !== undefined) values.set(name, value);
    return value;
  };
  const strings = (name: string): StringTensor | undefined => {
    const value = attribute(name);
    if (value === undefined || value.dtype === 'string') return value;
    // h5py writes an empty list as an array of floats.
    if (elements(value.shape) === 0) return { dtype: 'string', shape: value.shape, data: [] };
    return refuse(nameOf(name), `holds numbers (${value.dtype}) instead of text`);
  };
  return {
    path,
    attributes: [...attributes.keys()],
    attribute,
    text(name) {
      const value = strings(name);
      if (value === undefined) return undefined;
      const [text] = value.data;
      if (text === undefined || value.data.length > 1) {
        refuse(nameOf(name), `holds ${value.data.length} strings instead of one`);
      }
      return textOf(text, nameOf(name));
    },
    texts: (name) => strings(name)?.data.map((text) => textOf(text, nameOf(name))),
  };
}

function textOf(bytes: Uint8Array, where: string): string {
  if (bytes.length > longestText) {
    refuse(where, `has a text of ${bytes.length} bytes, and at most ${longestText} are supported`);
  }
  return Buffer.from(bytes).toString();
}

/** Strings of Node.js hold about twice this. */
const longestText = 2 ** 28;

function objectName({ source }: OpenFile, path: string): string {
  return path === '/' ? source.name : `${source.name}, "${path}"`;
}
