import protobuf from 'protobufjs/light.js';

/** One binary message of the long connection (feishu-events 2.3). */
export interface Frame {
  /** 0 in pings and pongs. */
  readonly seqId: bigint;
  /** 0 in pings and pongs. */
  readonly logId: bigint;
  /** The `service_id` of the address that was connected to. */
  readonly service: number;
  /** `CONTROL` or `DATA`. */
  readonly method: number;
  /** Name and value, in the order of the wire. */
  readonly headers: readonly (readonly [string, string])[];
  readonly payloadEncoding?: string;
  readonly payloadType?: string;
  /** JSON in UTF-8; a fragment may end inside a character. */
  readonly payload?: Buffer;
  readonly logIdNew?: string;
}

export const CONTROL = 0;
export const DATA = 1;

const { Field, Root, Type } = protobuf;

const HEADER = new Type('Header')
  .add(new Field('key', 1, 'string', 'required'))
  .add(new Field('value', 2, 'string', 'required'));
const FRAME = new Type('Frame')
  .add(new Field('SeqID', 1, 'uint64', 'required'))
  .add(new Field('LogID', 2, 'uint64', 'required'))
  .add(new Field('service', 3, 'int32', 'required'))
  .add(new Field('method', 4, 'int32', 'required'))
  .add(new Field('headers', 5, 'Header', 'repeated'))
  .add(new Field('payloadEncoding', 6, 'string', 'optional'))
  .add(new Field('payloadType', 7, 'string', 'optional'))
  .add(new Field('payload', 8, 'bytes', 'optional'))
  .add(new Field('LogIDNew', 9, 'string', 'optional'));
const ROOT = new Root();
ROOT.define('pbbp2').add(HEADER).add(FRAME);
// Before that protobufjs does not know what is required.
ROOT.resolveAll();

/** What protobufjs makes of a frame; 64-bit numbers as text, because a JavaScript number rounds them. */
interface WireFrame {
  readonly SeqID: string;
  readonly LogID: string;
  readonly service: number;
  readonly method: number;
  readonly headers: readonly { readonly key: string; readonly value: string }[];
  readonly payloadEncoding?: string;
  readonly payloadType?: string;
  readonly payload?: Buffer;
  readonly LogIDNew?: string;
}

/** The bytes of a frame. Fields 1 to 4 are always written, zeros included: the SDK rejects a frame without them. */
export function encodeFrame({ seqId, logId, logIdNew, headers, ...others }: Frame): Uint8Array {
  const wire = {
    ...others,
    SeqID: String(seqId),
    LogID: String(logId),
    headers: headers.map(([key, value]) => ({ key, value })),
    ...(logIdNew === undefined ? {} : { LogIDNew: logIdNew }),
  };
  return FRAME.encode(FRAME.fromObject(wire)).finish();
}

/** The frame in some bytes. Throws when they are no frame or a required field is missing. */
export function decodeFrame(bytes: Uint8Array): Frame {
  const message = FRAME.toObject(FRAME.decode(bytes), { longs: String, bytes: Buffer, arrays: true });
  const { SeqID, LogID, LogIDNew, headers, ...others } = message as WireFrame;
  return {
    ...others,
    seqId: BigInt(SeqID),
    logId: BigInt(LogID),
    headers: headers.map(({ key, value }) => [key, value]),
    ...(LogIDNew === undefined ? {} : { logIdNew: LogIDNew }),
  };
}

/** The value of a header, or null. */
export function headerOf({ headers }: Frame, name: string): string | null {
  return headers.find(([key]) => key === name)?.[1] ?? null;
}
