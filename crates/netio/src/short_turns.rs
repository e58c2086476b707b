//! Being woken in time on a busy machine, without any right to it: a thread that works little and often asks the scheduler for short
//! turns, and in exchange for them gets them sooner ([sched_setattr], Linux 6.12 and later; before that nothing changes).
//!
//! [sched_setattr]: https://man7.org/linux/man-pages/man2/sched_setattr.2.html

use libc::c_long;

/// Nanoseconds of a turn; the kernel's least.
const TURN_NS: u64 = 100_000;

/// The first version of `struct sched_attr` (linux/sched/types.h): 48 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
struct Attributes {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    /// For the ordinary policies the length of a turn.
    runtime: u64,
    deadline: u64,
    period: u64,
}

/// Asks for short turns for the calling thread; its share of the processor stays the same. Returns whether the kernel took it.
pub fn ask_for_short_turns() -> bool {
    let size = size_of::<Attributes>() as u32;
    let mut attributes = Attributes::default();
    let (this, none): (c_long, c_long) = (0, 0);
    // SAFETY: the kernel writes at most `size` bytes, the length of the value.
    let got = unsafe {
        libc::syscall(libc::SYS_sched_getattr, this, &raw mut attributes, c_long::from(size), none)
    };
    // Of other policies it would mean something else.
    if got != 0 || attributes.policy != libc::SCHED_OTHER.unsigned_abs() {
        return false;
    }
    attributes.size = size;
    attributes.runtime = TURN_NS;
    // SAFETY: the kernel reads as many bytes as the value says itself, which is its length.
    unsafe { libc::syscall(libc::SYS_sched_setattr, this, &raw const attributes, none) == 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_needs_no_privilege() {
        // Of a thread of its own: the harness keeps its turns.
        let asked = std::thread::spawn(ask_for_short_turns).join().unwrap();
        assert!(asked, "an ordinary thread may ask, and older kernels do not mind");
    }
}
