//! Gzip (RFC 1952) without compressing: a stored block for an honest body, and a run of repeats for
//! one that unpacks to far more than it carries.

use bytes::Bytes;

use super::answer::Part;

const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// How many bytes one bomb unit unpacks to: eight matches of 258 bytes.
const UNIT: u64 = 8 * 258;

/// A gzip file that holds these bytes as they are.
pub(super) fn stored(bytes: &[u8]) -> Bytes {
    let mut file = HEADER.to_vec();
    let blocks = bytes.chunks(0xffff).count();
    for (index, block) in bytes.chunks(0xffff).enumerate() {
        push_block(&mut file, block, index + 1 == blocks);
    }
    if blocks == 0 {
        push_block(&mut file, b"", true);
    }
    file.extend_from_slice(&crc32(bytes).to_le_bytes());
    // RFC 1952 wants the length modulo 2^32.
    file.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    Bytes::from(file)
}

/// A gzip file that begins with these bytes (at most 65535) and unpacks to that many megabytes of
/// spaces. It has no proper end: nobody should get there.
pub(super) fn bomb(head: &[u8], megabytes: u64) -> [Part; 2] {
    let mut file = HEADER.to_vec();
    push_block(&mut file, head.get(..0xffff).unwrap_or(head), false);
    let mut bits = Bits::default();
    bits.push(0b011, 3); // the last block, with the fixed codes
    bits.push_code(0b0011_0000 + u32::from(b' '), 8);
    // 3 + 8 + 13 bits are whole bytes, so that the unit below can be repeated as it is.
    bits.push_match();
    file.append(&mut bits.bytes);
    let mut unit = Bits::default();
    for _ in 0..8 * 512 {
        unit.push_match();
    }
    let packed_per_unit = 13;
    let length = megabytes.saturating_mul(1 << 20) / UNIT * packed_per_unit;
    [Part::Data(Bytes::from(file)), Part::Repeat(Bytes::from(unit.bytes), length)]
}

fn push_block(file: &mut Vec<u8>, block: &[u8], last: bool) {
    let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
    file.push(u8::from(last));
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(&(!length).to_le_bytes());
    file.extend_from_slice(block);
}

/// Bits in the order of RFC 1951: the lowest bit of a byte first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    pending: u32,
    count: u32,
}

impl Bits {
    fn push(&mut self, value: u32, width: u32) {
        for place in 0..width {
            self.pending |= ((value >> place) & 1) << self.count;
            self.count += 1;
            if self.count == 8 {
                self.bytes.push(self.pending as u8);
                (self.pending, self.count) = (0, 0);
            }
        }
    }

    /// A Huffman code, whose highest bit comes first.
    fn push_code(&mut self, code: u32, width: u32) {
        self.push(code.reverse_bits() >> (32 - width), width);
    }

    /// Length 258 (symbol 285 of the fixed codes) at distance 1 (symbol 0).
    fn push_match(&mut self) {
        self.push_code(0b1100_0101, 8);
        self.push_code(0, 5);
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |mut crc, byte| {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
        crc
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_published_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn an_honest_file_ends_with_its_checksum_and_length() {
        let file = stored(&[b'x'; 70_000]);
        assert_eq!(file.len(), 10 + 2 * 5 + 70_000 + 8);
        assert_eq!(&file[file.len() - 4..], 70_000_u32.to_le_bytes());
        assert_eq!(stored(b"").len(), 10 + 5 + 8);
    }

    #[test]
    fn a_bomb_carries_less_than_a_hundredth_of_what_it_unpacks_to() {
        let [Part::Data(head), Part::Repeat(unit, length)] = bomb(b"<a/>", 100) else {
            panic!("two parts");
        };
        assert_eq!(head.len(), 10 + 5 + 4 + 3);
        assert_eq!(unit.len() as u64 % 13, 0);
        assert!(length * 100 < 100 << 20);
    }
}
