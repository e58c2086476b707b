//! Programs of classic BPF, put together from loads and comparisons.

use subflow_netio::Instruction;

// Operations of classic BPF (linux/bpf_common.h).
pub(crate) const LOAD_WORD: u16 = 0x20;
pub(crate) const LOAD_HALF: u16 = 0x28;
pub(crate) const LOAD_BYTE: u16 = 0x30;
pub(crate) const LOAD_HALF_X: u16 = 0x48;
pub(crate) const LOAD_BYTE_X: u16 = 0x50;
pub(crate) const LOAD_HEADER_LEN: u16 = 0xb1;
pub(crate) const IF_EQUAL: u16 = 0x15;
pub(crate) const IF_ABOVE: u16 = 0x25;
pub(crate) const IF_AT_LEAST: u16 = 0x35;
pub(crate) const IF_BITS: u16 = 0x45;
pub(crate) const RETURN: u16 = 0x06;

/// Where a comparison leads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum To {
    Next,
    Keep,
    Drop,
    /// So many instructions on.
    On(usize),
}

/// Instructions whose jumps to the two ends are not known yet.
#[derive(Default)]
pub(crate) struct Program(Vec<(u16, u32, To, To)>);

impl Program {
    pub(crate) fn load(&mut self, code: u16, at: u32) -> &mut Self {
        self.0.push((code, at, To::Next, To::Next));
        self
    }

    pub(crate) fn test(&mut self, code: u16, k: u32, yes: To, no: To) -> &mut Self {
        self.0.push((code, k, yes, no));
        self
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn append(&mut self, mut other: Self) -> &mut Self {
        self.0.append(&mut other.0);
        self
    }

    /// The program; what it lets through is cut to `kept` bytes.
    pub(crate) fn finish(&self, kept: u32) -> Vec<Instruction> {
        let (keep, drop) = (self.0.len(), self.0.len() + 1);
        let jump = |at: usize, to| {
            let place = match to {
                To::Next => at + 1,
                To::Keep => keep,
                To::Drop => drop,
                To::On(count) => at + 1 + count,
            };
            u8::try_from(place - at - 1).unwrap_or(u8::MAX)
        };
        let body = self.0.iter().enumerate().map(|(at, &(code, k, yes, no))| {
            // Only comparisons jump.
            let jumps = if code & 7 == 5 { (jump(at, yes), jump(at, no)) } else { (0, 0) };
            Instruction { code, jump_true: jumps.0, jump_false: jumps.1, k }
        });
        let end = |k| Instruction { code: RETURN, jump_true: 0, jump_false: 0, k };
        body.chain([end(kept), end(0)]).collect()
    }
}

/// What the kernel would do with a frame: how many bytes it keeps.
#[cfg(test)]
pub(crate) fn kept(program: &[Instruction], frame: &[u8]) -> u32 {
    let (mut a, mut x, mut at) = (0_u32, 0_u32, 0);
    let load = |place: usize, len: usize| {
        let bytes = frame.get(place..place + len)?;
        Some(bytes.iter().fold(0_u32, |word, &byte| word << 8 | u32::from(byte)))
    };
    loop {
        let step = program[at];
        let k = step.k as usize;
        at += 1;
        let loaded = match step.code {
            LOAD_WORD => load(k, 4),
            LOAD_HALF => load(k, 2),
            LOAD_BYTE => load(k, 1),
            LOAD_HALF_X => load(k + x as usize, 2),
            LOAD_BYTE_X => load(k + x as usize, 1),
            LOAD_HEADER_LEN => {
                x = load(k, 1).map_or(0, |byte| 4 * (byte & 15));
                continue;
            }
            RETURN => return step.k,
            _ => {
                let holds = match step.code {
                    IF_EQUAL => a == step.k,
                    IF_ABOVE => a > step.k,
                    IF_AT_LEAST => a >= step.k,
                    IF_BITS => a & step.k != 0,
                    code => panic!("unknown operation {code}"),
                };
                at += usize::from(if holds { step.jump_true } else { step.jump_false });
                continue;
            }
        };
        // The kernel drops packets that are too short for a load.
        let Some(loaded) = loaded else { return 0 };
        a = loaded;
    }
}
