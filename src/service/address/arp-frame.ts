/**
 * ARP for IPv4 over Ethernet (RFC 826), as an address is asked for and announced
 * (RFC 5227). Pure: bytes only.
 */

const FRAME_BYTES = 42;
const ETHERTYPE_ARP = 0x0806;
const ETHERTYPE_IPV4 = 0x0800;
const [REQUEST, REPLY] = [1, 2] as const;
const BROADCAST = Buffer.alloc(6, 0xff);
const NOBODY_MAC = Buffer.alloc(6);
const NOBODY_IP = Buffer.alloc(4);

/** A hardware address and the IPv4 address that belongs to it: six and four bytes. */
export interface ArpParty {
  readonly mac: Uint8Array;
  readonly ip: Uint8Array;
}

/** Asks whether anybody has `ip`, without claiming it. */
export function probeFrame(mac: Uint8Array, ip: Uint8Array): Buffer {
  return frame(REQUEST, { mac, ip: NOBODY_IP }, { mac: NOBODY_MAC, ip });
}

/** Tells everybody who has `ip`, in both forms: each has hearers that mind only it. */
export function announcementFrames({ mac, ip }: ArpParty): readonly [Buffer, Buffer] {
  return [
    frame(REQUEST, { mac, ip }, { mac: NOBODY_MAC, ip }),
    frame(REPLY, { mac, ip }, { mac, ip }),
  ];
}

/** Who sent this ARP frame; undefined when it is none. */
export function senderOf(bytes: Buffer): ArpParty | undefined {
  if (bytes.length < FRAME_BYTES || bytes.readUInt16BE(12) !== ETHERTYPE_ARP) return undefined;
  return { mac: bytes.subarray(22, 28), ip: bytes.subarray(28, 32) };
}

/** `02:4d:52:00:00:0b` */
export function formatMac(mac: Uint8Array): string {
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

function frame(operation: number, sender: ArpParty, target: ArpParty): Buffer {
  const bytes = Buffer.alloc(FRAME_BYTES);
  bytes.set(BROADCAST, 0);
  bytes.set(sender.mac, 6);
  bytes.writeUInt16BE(ETHERTYPE_ARP, 12);
  bytes.writeUInt16BE(1, 14);
  bytes.writeUInt16BE(ETHERTYPE_IPV4, 16);
  bytes.writeUInt8(6, 18);
  bytes.writeUInt8(4, 19);
  bytes.writeUInt16BE(operation, 20);
  bytes.set(sender.mac, 22);
  bytes.set(sender.ip, 28);
  bytes.set(target.mac, 32);
  bytes.set(target.ip, 38);
  return bytes;
}
