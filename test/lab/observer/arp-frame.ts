/**
 * ARP over Ethernet for IPv4 (RFC 826): one frame written, many read in place.
 *
 * Hardware addresses are plain numbers here: 48 bits fit a double exactly.
 */

/** Ethernet header and ARP body, without padding. */
export const ARP_FRAME_BYTES = 42;
export const ARP_REQUEST = 1;
export const ARP_REPLY = 2;
/** The EtherType of ARP. */
export const ARP_TYPE = 0x0806;

const BROADCAST = 0xffff_ffff_ffff;
const [OPERATION, SENDER_MAC, SENDER_IP, TARGET_IP] = [20, 22, 28, 38] as const;

/** A broadcast "who has `target`" from `mac`; the sender's address is set per request. */
export function whoHas(mac: number, target: number): Buffer {
  const frame = Buffer.alloc(ARP_FRAME_BYTES);
  frame.writeUIntBE(BROADCAST, 0, 6);
  frame.writeUIntBE(mac, 6, 6);
  frame.writeUInt16BE(ARP_TYPE, 12);
  frame.writeUInt16BE(1, 14); // hardware: Ethernet
  frame.writeUInt16BE(0x0800, 16); // protocol: IPv4
  frame.writeUInt8(6, 18);
  frame.writeUInt8(4, 19);
  frame.writeUInt16BE(ARP_REQUEST, OPERATION);
  frame.writeUIntBE(mac, SENDER_MAC, 6);
  frame.writeUInt32BE(target, TARGET_IP);
  return frame;
}

export function setSenderIp(frame: Buffer, ip: number): void {
  frame.writeUInt32BE(ip, SENDER_IP);
}

export function isArp(frame: Buffer, length: number): boolean {
  return length >= ARP_FRAME_BYTES && frame.readUInt16BE(12) === ARP_TYPE;
}

export function operation(frame: Buffer): number {
  return frame.readUInt16BE(OPERATION);
}

export function senderMac(frame: Buffer): number {
  return frame.readUIntBE(SENDER_MAC, 6);
}

export function senderIp(frame: Buffer): number {
  return frame.readUInt32BE(SENDER_IP);
}

export function targetIp(frame: Buffer): number {
  return frame.readUInt32BE(TARGET_IP);
}

/** "10.77.0.100" as a number. */
export function parseIp(text: string): number {
  const parts = text.split('.').map(Number);
  const valid = parts.length === 4 && parts.every((part) => part >= 0 && part <= 255);
  if (!valid) throw new Error(`not an IPv4 address: ${JSON.stringify(text)}`);
  return Buffer.from(parts).readUInt32BE(0);
}

/** "02:00:00:00:00:01" as a number. */
export function parseMac(text: string): number {
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text)) {
    throw new Error(`not a hardware address: ${JSON.stringify(text)}`);
  }
  return Number.parseInt(text.replaceAll(':', ''), 16);
}

export function formatMac(mac: number): string {
  const digits = mac.toString(16).padStart(12, '0');
  return digits.replace(/(..)(?!$)/g, '$1:');
}
