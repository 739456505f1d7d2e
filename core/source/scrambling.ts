// Containers that say at their very beginning that they are encrypted: a scrambled MPEG-TS, and ASF under DRM.

/** Whether the first bytes of a file are of such a one. */
export const isScrambled = (head: Uint8Array): boolean =>
  isScrambledTransportStream(head) || isProtectedAsf(head);

/** A tenth of the packets is more than damage does. */
const SCRAMBLED_SHARE = 0.1;

/** ISO/IEC 13818-1, 2.4.3.2: transport_scrambling_control. M2TS puts four bytes before each packet. */
function isScrambledTransportStream(head: Uint8Array): boolean {
  return [
    { first: 0, stride: 188 },
    { first: 4, stride: 192 },
  ].some(({ first, stride }) => {
    let [packets, scrambled] = [0, 0];
    for (let offset = first; offset + 4 <= head.length; offset += stride) {
      if (head[offset] !== 0x47) return false;
      const pid = ((head[offset + 1]! & 0x1f) << 8) | head[offset + 2]!;
      if (pid === 0x1fff) continue; // nothing but filling
      packets += 1;
      if (head[offset + 3]! >> 6 !== 0) scrambled += 1;
    }
    return packets > 0 && scrambled > packets * SCRAMBLED_SHARE;
  });
}

const ASF_HEADER = '3026b2758e66cf11a6d900aa0062ce6c';
/** Content Encryption, Extended Content Encryption and Advanced Content Encryption (Advanced Systems Format, section 3). */
const ASF_ENCRYPTION = [
  'fbb3112223bdd211b4b700a0c955fc6e',
  '14e68a292226174cb935dae07ee9289c',
  'b69b077aa4da124ea5ca91d38dc11a8d',
];

function isProtectedAsf(head: Uint8Array): boolean {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  if (!bytes.subarray(0, 16).equals(Buffer.from(ASF_HEADER, 'hex'))) return false;
  return ASF_ENCRYPTION.some((guid) => bytes.includes(Buffer.from(guid, 'hex')));
}
