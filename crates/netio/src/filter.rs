//! Which packets the kernel lets into a ring: programs of classic BPF.

/// One instruction of classic BPF (linux/filter.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Operation.
    pub code: u16,
    /// Instructions to pass over when a comparison holds.
    pub jump_true: u8,
    /// Instructions to pass over when it does not.
    pub jump_false: u8,
    /// Operand.
    pub k: u32,
}

/// Longest program that the kernel takes.
pub const MAX_FILTER: usize = 4096;
