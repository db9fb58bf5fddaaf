// A worker in Node: reads shared buffers and files, and Blobs through the caller's thread.
import { fstatSync, openSync, readSync } from 'node:fs';
import { parentPort, receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import { serve, type Source } from './engine.js';

/** An input that a worker can open. */
export type NodeInput =
  | { shared: SharedArrayBuffer }
  | { path: string }
  | { descriptor: number }
  /** The port takes `[offset, length]` and answers with bytes or an error message; then the flag is 1. */
  | { port: MessagePort; flag: SharedArrayBuffer; length: number };

function file(descriptor: number): Source {
  return {
    length: fstatSync(descriptor).size,
    read(offset, length) {
      const buffer = new Uint8Array(length);
      return buffer.subarray(0, readSync(descriptor, buffer, 0, length, offset));
    },
  };
}

function open(input: NodeInput): Source {
  if ('shared' in input) {
    const bytes = new Uint8Array(input.shared);
    return { length: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
  }
  if ('descriptor' in input) return file(input.descriptor);
  if ('path' in input) {
    try {
      // Node closes it when the worker ends.
      const descriptor = openSync(input.path, 'r');
      if (!fstatSync(descriptor).isFile()) throw new Error('it is not a regular file');
      return file(descriptor);
    } catch (error) {
      throw { kind: 'Io', message: `cannot read '${input.path}': ${(error as Error).message}` };
    }
  }
  const { port, length } = input;
  const flag = new Int32Array(input.flag);
  return {
    length,
    read(offset, count) {
      port.postMessage([offset, count]);
      Atomics.wait(flag, 0, 0);
      Atomics.store(flag, 0, 0);
      const answer: Uint8Array | string = receiveMessageOnPort(port)?.message;
      if (typeof answer === 'string') throw new Error(answer);
      return answer;
    },
  };
}

const answer = serve<NodeInput, Uint8Array>(
  { open, keep: (bytes) => ({ kept: bytes, transfer: [bytes.buffer] }) },
  (message, transfer) => parentPort?.postMessage(message, transfer),
);
parentPort?.on('message', (call) => void answer(call));
