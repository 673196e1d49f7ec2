/** A client of one etcd member. */

import { GrpcConnection } from './grpc-connection.ts';
import { bytesField, bytesOf, fieldsOf, integerOf, numberField } from './protobuf.ts';
import type { Done, KeyValue, WriteClient } from './write-client.ts';

const PUT = '/etcdserverpb.KV/Put';
const RANGE = '/etcdserverpb.KV/Range';
const STATUS = '/etcdserverpb.Maintenance/Status';

/** A range that ends here ends with the last key. */
const TO_THE_END = Buffer.from([0]);

export class EtcdClient implements WriteClient {
  readonly #connection: GrpcConnection;

  constructor(port: number) {
    this.#connection = new GrpcConnection(port);
  }

  put(key: string, value: Buffer, done: Done): void {
    const message = Buffer.concat([bytesField(1, Buffer.from(key)), bytesField(2, value)]);
    this.#connection.call(PUT, message, done);
  }

  async list(after: string, countMax: number): Promise<readonly KeyValue[]> {
    const answer = await this.#ask(
      RANGE,
      // The next key after one is the same with a zero byte behind it.
      Buffer.concat([
        bytesField(1, Buffer.from(`${after}\0`)),
        bytesField(2, TO_THE_END),
        numberField(3, countMax),
      ]),
    );
    return fieldsOf(answer)
      .filter(({ number }) => number === 2)
      .map(({ value }) => {
        const fields = fieldsOf(value as Buffer);
        return { key: bytesOf(fields, 1).toString(), value: bytesOf(fields, 5) };
      });
  }

  async leads(): Promise<boolean> {
    const fields = fieldsOf(await this.#ask(STATUS, Buffer.alloc(0)));
    const self = integerOf(fieldsOf(bytesOf(fields, 1)), 2);
    return self !== 0n && integerOf(fields, 4) === self;
  }

  close(): void {
    this.#connection.close();
  }

  #ask(method: string, message: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#connection.call(method, message, (error, answer) => {
        if (error === undefined) resolve(answer);
        else reject(error);
      });
    });
  }
}
