/** The settings of a layer as the operators read them, and those that nobody read. */

import { isList, type Json, printJson, valueAt } from '../../1-read/json.ts';
import { Refusal } from '../../errors.ts';
import type { KerasLayer } from '../../ops/keras.ts';
import type { LayerConfig } from './config.ts';

/** Keys that say nothing about predictions, in any layer; functions of `keras.ops` have a dtype that does. */
const ignored = new Set([
  'name',
  'trainable',
  'dtype',
  'batch_input_shape',
  'batch_shape',
  'input_shape',
  'input_dtype',
  'seed',
  'activity_regularizer',
]);

function isIgnored(key: string, value: Json, isOperation: boolean): boolean {
  if (value === null) return true;
  if (key === 'dtype' && isOperation) return false;
  return ignored.has(key) || /_(initializer|regularizer|constraint)$/.test(key);
}

export interface ConfigReader
  extends Pick<KerasLayer, 'number' | 'flag' | 'text' | 'list' | 'value' | 'ignore'> {
  /** Throws a `Refusal` if a setting was passed over. */
  refuseUnread(): void;
}

/** `isOperation`: it is a function of `keras.ops`. */
export function configReader({ className, config }: LayerConfig, isOperation: boolean): ConfigReader {
  const read = new Set<string>();
  const find = (key: string): Json | undefined => {
    read.add(key);
    return valueAt(config, key) ?? undefined;
  };
  /** None is a value of its own where there is another default, and means "all" or "as it is". */
  const findOr = <T extends Json>(key: string, otherwise: T | undefined): Json | undefined => {
    read.add(key);
    const found = valueAt(config, key);
    return found === undefined ? otherwise : found;
  };
  const missing = (key: string, found: Json | undefined, wanted: string): never => {
    const what = found === undefined ? 'is not there' : `is ${printJson(found)}`;
    throw new Refusal(`"${key}" in the config of ${className} ${what}, and should be ${wanted}`);
  };
  return {
    number(key, otherwise) {
      const found = findOr(key, otherwise);
      return typeof found === 'number' ? found : missing(key, found, 'a number');
    },
    flag(key, otherwise) {
      const found = findOr(key, otherwise);
      return typeof found === 'boolean' ? found : missing(key, found, 'true or false');
    },
    text(key, otherwise) {
      const found = findOr(key, otherwise);
      return typeof found === 'string' ? found : missing(key, found, 'a text');
    },
    list(key, count, otherwise) {
      const found = findOr(key, otherwise);
      if (typeof found === 'number' && count !== undefined) return Array<number>(count).fill(found);
      const numbers = isList(found) ? found.filter((item) => typeof item === 'number') : [];
      const fits =
        isList(found) && numbers.length === found.length && numbers.length === (count ?? numbers.length);
      return fits
        ? numbers
        : missing(key, found, count === undefined ? 'a list of numbers' : `${count} numbers`);
    },
    value: find,
    ignore(...keys) {
      for (const key of keys) read.add(key);
    },
    refuseUnread() {
      const unread = Object.entries(config).filter(
        ([key, value]) => !read.has(key) && !isIgnored(key, value, isOperation),
      );
      if (unread.length === 0) return;
      const found = unread.map(([key, value]) => `"${key}": ${printJson(value)}`).join(', ');
      throw new Refusal(`the setting ${found} of ${className} is not supported`);
    },
  };
}
