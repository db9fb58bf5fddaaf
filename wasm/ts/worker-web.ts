// A worker in a browser: reads slices of a Blob, and stores finished shards in Blobs, which the browser may move to disk.
import { serve, type Call, type Source } from './engine.js';

declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}

const files = new FileReaderSync();
const scope = self as unknown as { onmessage: (event: MessageEvent<Call>) => void; postMessage(message: unknown, transfer: Transferable[]): void };

const open = (blob: Blob): Source => ({
  length: blob.size,
  read: (offset, length) => new Uint8Array(files.readAsArrayBuffer(blob.slice(offset, offset + length))),
});

const answer = serve<Blob, Blob>(
  { open, keep: (bytes) => ({ kept: new Blob([bytes]), transfer: [] }) },
  (message, transfer) => scope.postMessage(message, transfer),
);
scope.onmessage = ({ data }) => void answer(data);
