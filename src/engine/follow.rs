//! Asks for verdicts that come later: whom, when, how often, and what an answer means. Pure, like [`run`](super::run).

use std::collections::BTreeMap;
use std::time::Duration;

use super::pace::{Pace, Tick};
use super::record::{Move, Ruling, Version, VersionId};
use super::run::Now;
use super::settle::ended;
use super::state::{self, Millis, Rules, step};
use super::steer::{millis, signed};
use crate::adapter::{Doubt, News};
use crate::model::{Fault, Path};
use crate::outcome::Exit;
use crate::report::Item;
use crate::wire::SendError;

/// After so many questions in a row without a usable answer no more are asked.
const MOST_UNANSWERED: u32 = 10;
/// The pause where the vendor asked for one and did not say how long.
const PAUSE: Duration = Duration::from_secs(30);
/// The longest pause that a vendor may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// How verdicts are asked for.
#[derive(Debug, Clone)]
pub struct Policy {
    /// What the vendor allows.
    pub rules: Rules,
    /// When a document is asked about, counted from when the vendor took it.
    pub schedule: Vec<Duration>,
    /// After how long a silence it is presumed to be accepted.
    pub presume_after: Duration,
    /// Questions on their way.
    pub concurrency: usize,
    /// Questions a second (0: no pace) and at once.
    pub pace: (u32, u32),
    /// For how long to go on asking those that are due; `None` asks each once, due or not.
    pub patience: Option<Duration>,
    /// The time that there is for all of it; no question is asked after that.
    pub deadline: Duration,
}

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// It begins, or time has passed.
    Tick,
    /// Documents to ask about, in answer to [`Action::Take`].
    Taken {
        /// Documents.
        versions: Vec<Version>,
        /// When the next one is due; `None` when there is none.
        next: Option<Millis>,
    },
    /// An answer came.
    Answered {
        /// The document.
        version: VersionId,
        /// What it says.
        news: Result<News, SendError>,
    },
    /// The shortest time between two questions that the vendor allows from now on.
    Interval(Duration),
    /// No more questions.
    Stop(Exit, String),
}

/// What to do.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one exists at a time, and a box would be made for each document")]
pub enum Action {
    /// Say which documents there are to ask about: those due until then, or, without a time, the next ones.
    Take {
        /// Until when they are due.
        due: Option<Millis>,
        /// How many at most.
        most: usize,
    },
    /// Ask.
    Ask {
        /// The document.
        version: VersionId,
        /// The vendor's reference.
        reference: String,
    },
    /// Store what was learnt.
    Rule(Ruling),
    /// Fetch a fresh token before the next question.
    Renew,
    /// Tell something besides.
    Note(String),
}

/// Questions in progress.
#[derive(Debug)]
pub struct Follow {
    policy: Policy,
    pace: Pace,
    began_at: Option<Tick>,
    began_on: Millis,
    queue: Vec<Version>,
    /// Those that are being asked about, each with the token that the question goes with, by its count.
    asked: BTreeMap<VersionId, (u32, Version)>,
    /// Which token questions go with, and whether it is one that was fetched because the last one was refused.
    token: (u32, bool),
    taking: bool,
    /// Nothing is due before; `None` when nothing is left at all.
    next_due: Option<Millis>,
    paused_until: Tick,
    unanswered: u32,
    /// Whether any question brought a usable answer, and whether any brought none.
    heard: (bool, bool),
    stopped: Option<(Exit, String)>,
}

impl Follow {
    /// Questions that have not begun.
    pub fn new(policy: Policy) -> Self {
        let pace = Pace::new(policy.pace.0, policy.pace.1);
        Self {
            policy,
            pace,
            began_at: None,
            began_on: 0,
            queue: Vec::new(),
            asked: BTreeMap::new(),
            token: (0, false),
            taking: false,
            next_due: Some(0),
            paused_until: 0,
            unanswered: 0,
            heard: (false, false),
            stopped: None,
        }
    }

    /// What is to be done now that this has happened.
    pub fn on(&mut self, now: Now, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.began_at.is_none() {
            (self.began_at, self.began_on) = (Some(now.tick), now.wall);
        }
        match event {
            Event::Tick => {}
            Event::Taken { mut versions, next } => {
                self.taking = false;
                self.next_due = next;
                // What is being asked about is still due in the journal.
                versions.retain(|version| !self.asked.contains_key(&version.id));
                let is_due = self.policy.patience.is_some() && self.next_due.is_some_and(|due| due <= now.wall);
                if versions.is_empty() && !self.asked.is_empty() && is_due {
                    // Nothing but what is being asked about is due: there is no use in looking again before an answer.
                    // Where each is asked once, what comes next is something else, and it is looked for at once.
                    self.next_due = None;
                }
                versions.reverse();
                self.queue = versions;
            }
            Event::Interval(interval) => self.pace.slow_down(interval),
            Event::Answered { version, news } => self.answered(version, news, now, &mut actions),
            Event::Stop(exit, why) => _ = self.stopped.get_or_insert((exit, why)),
        }
        if self.began_at.is_some_and(|began| now.tick >= began + millis(self.policy.deadline)) {
            self.stopped.get_or_insert_with(|| (Exit::Temporary, "the time for the run is over".to_owned()));
        }
        self.pump(now, &mut actions);
        actions
    }

    /// Whether nothing is left to ask.
    pub fn is_over(&self, now: Now) -> bool {
        if !self.asked.is_empty() || self.taking {
            return false;
        }
        self.stopped.is_some() || self.is_late(now) || (self.queue.is_empty() && self.next_due.is_none())
    }

    /// When to come back if nothing happens before.
    pub fn wake_at(&self, now: Now) -> Option<Tick> {
        // When its time is over, nothing but answers is waited for.
        if self.stopped.is_some() || self.is_late(now) || self.asked.len() >= self.policy.concurrency {
            return None;
        }
        let may_go = self.paused_until.max(self.pace.next(now.tick));
        let due = match self.next_due {
            _ if !self.queue.is_empty() => may_go,
            Some(due) => may_go.max(now.tick + u64::try_from(due - now.wall).unwrap_or_default()),
            None => return None,
        };
        let time = self.policy.patience.map_or(self.policy.deadline, |patience| patience.min(self.policy.deadline));
        Some(self.began_at.map_or(due, |began| due.min(began + millis(time))))
    }

    /// When it began; 0 before that.
    pub fn began_on(&self) -> Millis {
        self.began_on
    }

    /// Whether questions were asked, and none brought a usable answer.
    pub fn was_in_vain(&self) -> bool {
        self.heard == (false, true)
    }

    /// Why it ended early, if it did, and with which code.
    pub fn ended_early(&self) -> Option<&(Exit, String)> {
        self.stopped.as_ref()
    }

    fn is_late(&self, now: Now) -> bool {
        let end = self.policy.patience.zip(self.began_at).map(|(patience, began)| began + millis(patience));
        end.is_some_and(|end| now.tick >= end)
    }

    fn pump(&mut self, now: Now, actions: &mut Vec<Action>) {
        while self.stopped.is_none() && !self.is_late(now) && self.asked.len() < self.policy.concurrency {
            if self.paused_until > now.tick || self.pace.next(now.tick) > now.tick {
                return;
            }
            let Some(version) = self.queue.pop() else {
                if !self.taking && self.next_due.is_some_and(|due| due <= now.wall) {
                    self.taking = true;
                    let due = self.policy.patience.map(|_| now.wall);
                    actions.push(Action::Take { due, most: self.policy.concurrency * 2 });
                }
                return;
            };
            self.pace.take(now.tick);
            let reference = version.standing.reference.clone().unwrap_or_default();
            actions.push(Action::Ask { version: version.id, reference });
            self.asked.insert(version.id, (self.token.0, version));
        }
    }

    fn answered(&mut self, id: VersionId, news: Result<News, SendError>, now: Now, actions: &mut Vec<Action>) {
        let Some((token, version)) = self.asked.remove(&id) else { return };
        if self.policy.patience.is_some() {
            // When it is due again, the journal says.
            self.next_due.get_or_insert(0);
        }
        let news = news.unwrap_or_else(|error| News::Unclear(error.to_string().into()));
        let is_unclear = matches!(news, News::Unclear(_));
        self.unanswered = if is_unclear { self.unanswered + 1 } else { 0 };
        self.heard = (self.heard.0 | !is_unclear, self.heard.1 | is_unclear);
        if matches!(news, News::Accepted | News::Rejected(_) | News::Processing) {
            self.token.1 = false;
        }
        let event = match news {
            News::Accepted => state::Event::Accept,
            News::Rejected(fault) => state::Event::Reject(fault),
            News::Processing => self.ask_again(&version, true, now),
            News::Unclear(doubt) => {
                if self.unanswered >= MOST_UNANSWERED {
                    let why = format!("{MOST_UNANSWERED} questions in a row brought no usable answer");
                    self.stopped.get_or_insert((Exit::Temporary, why));
                }
                actions.push(Action::Note(unclear(&version, &doubt)));
                self.ask_again(&version, false, now)
            }
            News::Stop(fault) => {
                self.stopped.get_or_insert((Exit::Refused, fault.message));
                return self.put_back(version, actions);
            }
            News::Expired(fault) => {
                match self.token {
                    (present, true) if token == present => _ = self.stopped.get_or_insert((Exit::Refused, fault.message)),
                    (present, _) if token == present => {
                        self.token = (present + 1, true);
                        actions.push(Action::Renew);
                    }
                    // It went with the last token, and there is a fresh one by now.
                    _ => {}
                }
                return self.put_back(version, actions);
            }
            News::BackOff(_, wait) => {
                let wait = millis(wait.unwrap_or(PAUSE).min(LONGEST_PAUSE));
                self.paused_until = self.paused_until.max(now.tick + wait);
                return self.put_back(version, actions);
            }
        };
        let Ok(to) = step(&version.standing, event, now.wall, self.policy.rules) else { return };
        let is_end = to.state.is_over() || self.policy.patience.is_none();
        let item = is_end.then(|| self.item(&version, &to));
        actions.push(Action::Rule(Ruling { to: Move::new(&version, to), superseded: None, item }));
    }

    fn ask_again(&self, version: &Version, is_word: bool, now: Now) -> state::Event {
        let since = now.wall - version.standing.submitted_at;
        let next = usize::try_from(version.standing.asked + 1).ok().and_then(|at| self.policy.schedule.get(at));
        let ask_after = next.map(|after| (signed(*after) - since).max(1));
        let is_quiet = since >= signed(self.policy.presume_after);
        state::Event::Ask { ask_after, presume: is_word && is_quiet }
    }

    /// A document that nothing was learnt about.
    fn put_back(&mut self, version: Version, actions: &mut Vec<Action>) {
        if self.stopped.is_some() {
            if self.policy.patience.is_none() {
                let item = self.item(&version, &version.standing);
                actions.push(Action::Rule(Ruling {
                    to: Move::new(&version, version.standing.clone()),
                    superseded: None,
                    item: Some(item),
                }));
            }
        } else {
            self.queue.push(version);
        }
    }

    fn item(&self, version: &Version, to: &state::Standing) -> Item {
        // Whoever has a reference has been sent.
        ended(version, to, &Fault::error("DOC-NOT-SENT", Path::ROOT, ""))
    }
}

fn unclear(version: &Version, doubt: &Doubt) -> String {
    format!("{}: the vendor was asked for its verdict, and no usable answer came ({})", version.key.number, doubt.why)
}
