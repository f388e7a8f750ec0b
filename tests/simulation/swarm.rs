//! The faults that can happen. For every night each class is off, rare or frequent, so that some nights have many faults of
//! few kinds: what only goes wrong when the same thing happens over and over is found by them, and by no others.

use super::chance::Chance;

macro_rules! classes {
    ($($(#[$meta:meta])* $name:ident: $rare:literal, $frequent:literal;)+) => {
        /// A class of faults.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Class {
            $($(#[$meta])* $name,)+
        }

        impl Class {
            /// All of them.
            pub(super) const ALL: &[Self] = &[$(Self::$name,)+];

            /// How often in a thousand it strikes where it is rare, and where it is frequent.
            fn rates(self) -> (u16, u16) {
                match self {
                    $(Self::$name => ($rare, $frequent),)+
                }
            }
        }
    };
}

classes! {
    // Of the network.
    /// No connection comes about.
    Unreachable: 30, 300;
    /// The connection breaks before the first byte of the body.
    CutBeforeBody: 30, 200;
    /// It breaks within the body: the vendor has half a request, and acts on nothing.
    CutInBody: 30, 200;
    /// It breaks after the body, and the vendor acted.
    CutAfterEffect: 30, 250;
    /// It breaks after the body, and the vendor did not act.
    CutWithoutEffect: 30, 250;
    /// The first byte is about to leave when its time is nearly, or just, over.
    SlowToWrite: 30, 200;
    /// The request arrives after its caller has given up.
    Late: 30, 250;
    /// The request arrives twice.
    Twice: 10, 100;
    /// The answer arrives after its caller has given up.
    SlowAnswer: 30, 250;
    /// Half an answer.
    HalfAnswer: 30, 250;
    /// An answer that is none: a page, nothing, a long line.
    Garbage: 30, 250;
    /// Nothing gets through for minutes or hours.
    Outage: 10, 60;
    // Of the vendor.
    /// 429 to everything for minutes or hours.
    Storm: 10, 60;
    /// 5xx, and nothing was done.
    ErrorWithoutEffect: 30, 250;
    /// 5xx, and all of it was done.
    ErrorAfterEffect: 30, 250;
    /// 5xx, and a part of it was done.
    ErrorAfterPart: 30, 250;
    /// 429.
    TooMany: 30, 300;
    /// 401.
    CallerRefused: 10, 100;
    /// A token ends before its time.
    TokenEnds: 20, 200;
    /// No token is given, and it is said that none will be.
    LoginRefused: 10, 100;
    /// It says back what it was given, the key included.
    Echo: 50, 500;
    /// A row is missing.
    MissingRow: 50, 300;
    /// A row for a document that nobody sent.
    ExtraRow: 50, 300;
    /// A row comes twice.
    RowTwice: 50, 300;
    /// Two rows for one document, of which one says yes and one no.
    Contradiction: 50, 300;
    /// Rows in another order.
    Reordered: 100, 700;
    /// 202 without a reference.
    NoReference: 50, 300;
    /// An answer to a question for a verdict that says nothing, or comes not at all.
    NoNews: 50, 400;
    // Of the machine.
    /// The process dies at a step.
    Kill: 150, 700;
    /// The process dies at some time.
    PowerLoss: 100, 500;
    /// A person stops the run.
    Stop: 100, 400;
    /// No room for the intent.
    FullAtArm: 10, 60;
    /// No room for the answer.
    FullAtKeep: 10, 100;
    /// A commit fails, and nobody knows whether it is there.
    CommitFails: 5, 40;
    /// Another process holds the journal.
    Busy: 5, 40;
    /// The clock is set.
    ClockStep: 50, 200;
    /// The process stands still for 10 s.
    PauseShort: 100, 500;
    /// The process stands still for 300 s.
    PauseLong: 100, 500;
    /// The process stands still for 3,000 s.
    PauseVeryLong: 100, 500;
    /// A second process takes over while the first one stands still, which then goes on.
    TwoNodes: 200, 800;
    // Of people.
    /// A document stands twice in a file.
    SameTwice: 50, 300;
    /// A number stands twice in a file, with different contents.
    TwoContents: 20, 150;
    /// What was sent long ago comes again.
    OldContent: 50, 300;
    /// A document that breaks a rule.
    Invalid: 100, 400;
    /// What was rejected is tried again.
    Retry: 100, 500;
}

/// Which faults a night has.
#[derive(Debug, Clone)]
pub(super) struct Swarm {
    rates: Vec<u16>,
    /// How often each has struck.
    pub(super) struck: Vec<u64>,
    /// Whether any strikes.
    pub(super) is_on: bool,
}

impl Swarm {
    /// Draws the faults of a night.
    pub(super) fn draw(chance: &mut Chance) -> Self {
        let mut rate = |class: &Class| match chance.below(100) {
            0..60 => 0,
            60..85 => class.rates().0,
            _ => class.rates().1,
        };
        Self { rates: Class::ALL.iter().map(&mut rate).collect(), struck: vec![0; Class::ALL.len()], is_on: true }
    }

    /// A night without faults.
    pub(super) fn none() -> Self {
        Self { rates: vec![0; Class::ALL.len()], struck: vec![0; Class::ALL.len()], is_on: false }
    }

    /// Whether a fault strikes now.
    pub(super) fn strikes(&mut self, class: Class, chance: &mut Chance) -> bool {
        let place = class as usize;
        // It is drawn even when it cannot strike: that keeps nights comparable when faults are switched off.
        let strikes = chance.below(1000) < u64::from(self.rates[place]) && self.is_on;
        self.struck[place] += u64::from(strikes);
        strikes
    }
}
