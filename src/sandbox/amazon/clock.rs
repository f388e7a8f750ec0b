//! The sandbox's clock, which may run faster than the real one, and the names that carry its time.

use std::time::Instant;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A clock that starts at the real time and then runs at its own speed.
#[derive(Debug)]
pub(super) struct Clock {
    started: Instant,
    origin: Timestamp,
    speed: u32,
}

impl Clock {
    pub(super) fn new(speed: u32) -> Self {
        Self { started: Instant::now(), origin: Timestamp::now(), speed }
    }

    /// When it was started.
    pub(super) fn origin(&self) -> Timestamp {
        self.origin
    }

    pub(super) fn now(&self) -> Timestamp {
        let passed = self.started.elapsed().saturating_mul(self.speed);
        self.origin.saturating_add(passed).unwrap_or(Timestamp::MAX)
    }

    /// The name of a new transaction, in one of the two forms that were seen.
    pub(super) fn transaction_id(&self) -> String {
        format!("{}-{}", self.now().to_zoned(TimeZone::UTC).strftime("%Y%m%d%H%M%S"), uuid())
    }
}

/// A random UUID.
pub(super) fn uuid() -> String {
    let bits = fastrand::u128(..) & !(0xf << 76) & !(0b11 << 62) | (4 << 76) | (0b10 << 62);
    let hex = format!("{bits:032x}");
    let mut text = String::with_capacity(36);
    for (place, digit) in hex.char_indices() {
        if matches!(place, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}

/// Whether a text could be the name of a transaction.
pub(super) fn is_transaction_id(text: &str) -> bool {
    let is_time = |text: &str| text.len() == 14 && text.bytes().all(|byte| byte.is_ascii_digit());
    let front = text.split_at_checked(14).and_then(|(time, rest)| Some((time, rest.strip_prefix('-')?)));
    let back = text.split_at_checked(36).and_then(|(uuid, rest)| Some((rest.strip_prefix('-')?, uuid)));
    [front, back].into_iter().flatten().any(|(time, uuid)| is_time(time) && is_uuid(uuid))
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_recognised() {
        let name = Clock::new(1).transaction_id();
        assert!(is_transaction_id(&name), "{name}");
        let (time, uuid) = name.split_once('-').unwrap();
        assert!(is_transaction_id(&format!("{uuid}-{time}")));
        for bad in ["", "20190904190535", uuid, &name[1..], &format!("{name}0"), &format!("Tran{}", &name[4..]), "é"] {
            assert!(!is_transaction_id(bad), "{bad}");
        }
        assert_eq!(uuid.as_bytes()[14], b'4');
    }

    #[test]
    fn a_fast_clock_runs_away() {
        let clock = Clock::new(u32::MAX);
        std::thread::sleep(std::time::Duration::from_millis(1));
        assert!(clock.now().as_second() - clock.origin().as_second() > 4_000_000);
    }
}
