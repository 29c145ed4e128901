import { createHash } from 'node:crypto';
import { describe, invalidOption } from '../errors.js';
import { isObject } from '../json.js';

/** A client of node-redis, or of Valkey with the same methods. */
export interface NodeRedisLike {
  sendCommand(args: string[]): Promise<unknown>;
}

/** A cluster client of node-redis. */
export interface NodeRedisClusterLike {
  readonly slots: object;
  sendCommand(key: string, isReadonly: boolean, args: string[]): Promise<unknown>;
}

/** A Sentinel client of node-redis. */
export interface NodeRedisSentinelLike {
  getSentinelNode(): unknown;
  sendCommand(isReadonly: boolean, args: string[]): Promise<unknown>;
}

/** A client or cluster client of ioredis. */
export interface IoredisLike {
  call(command: string, ...args: string[]): Promise<unknown>;
}

/** A client or cluster client of valkey-glide. */
export interface GlideLike {
  customCommand(args: string[]): Promise<unknown>;
}

/**
 * A connected client of Redis or Valkey: of `redis` 5 or later, `ioredis` 5 or later, or `@valkey/valkey-glide` 2. You
 * open it, and close it after the Target client.
 */
export type RedisLike =
  | NodeRedisLike
  | NodeRedisClusterLike
  | NodeRedisSentinelLike
  | IoredisLike
  | GlideLike;

/** Sends a command that concerns one key. */
export type Command = (key: string, args: string[]) => Promise<unknown>;

/**
 * Makes one way to send commands out of the ways of the libraries. A client of ioredis has `sendCommand` too, for other
 * arguments, so `call` is looked for first.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG`
 */
export function toCommand(client: RedisLike): Command {
  const has = (name: string) => isObject(client) && typeof Reflect.get(client, name) === 'function';
  if (has('call')) {
    const redis = client as IoredisLike;
    return (_, [name = '', ...args]) => redis.call(name, ...args);
  }
  if (has('customCommand')) {
    const redis = client as GlideLike;
    return (_, args) => redis.customCommand(args);
  }
  if (has('sendCommand')) {
    if ('slots' in client) {
      return (key, args) => client.sendCommand(key, false, args);
    }
    if (has('getSentinelNode')) {
      const redis = client as NodeRedisSentinelLike;
      return (_, args) => redis.sendCommand(false, args);
    }
    const redis = client as NodeRedisLike;
    return (_, args) => redis.sendCommand(args);
  }
  throw invalidOption('client', 'a client of redis, ioredis or valkey-glide', client, describe);
}

/** Runs a script on the server. The server is sent the script itself only when it does not know it. */
export type Script = (command: Command, key: string, args?: readonly string[]) => Promise<unknown>;

/** Makes a script of one key. */
export function toScript(lua: string): Script {
  const sha1 = createHash('sha1').update(lua).digest('hex');
  return async (command, key, args = []) => {
    try {
      return await command(key, ['EVALSHA', sha1, '1', key, ...args]);
    } catch (error) {
      // Libraries pass the code on as NOSCRIPT or as NoScriptError.
      if (!/noscript/i.test(messageTextOf(error))) {
        throw error;
      }
      return command(key, ['EVAL', lua, '1', key, ...args]);
    }
  };
}

/** Tells whether an error says that a key holds another type of value than the command is for. */
export function isWrongType(error: unknown): boolean {
  return /wrong_?type/i.test(messageTextOf(error));
}

function messageTextOf(error: unknown): string {
  return isObject(error) && 'message' in error ? String(error.message) : '';
}
