//! The way to the vendor and back: requests that do not leave, are cut, come late, come twice, and answers that do not come.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use payables_bridge::transport::{Permit, Sending, Transport};
use payables_bridge::wire::{SendError, WireRequest, WireResponse};
use tokio::time::Instant;

use super::adapters::CANARY;
use super::documents::digest;
use super::process::Process;
use super::sabotage::Sabotage;
use super::swarm::Class;
use super::world::{Delivery, Millis, Sent, Shared, World};

/// How long a caller waits for an answer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(60);

/// The network, as one process has it.
pub(super) struct Network {
    pub(super) process: Arc<Process>,
    pub(super) world: Shared,
    pub(super) sabotage: Option<Sabotage>,
}

/// What is to happen to a call.
#[derive(Debug, Clone, Copy)]
struct Trip {
    /// Its place among all calls.
    id: usize,
    /// How long until the first byte may leave.
    connects_after: Duration,
    leaves: Leaves,
    /// How long the request takes.
    travels: Duration,
    /// Whether it arrives a second time, and how much later.
    comes_again: Option<Duration>,
    back: Back,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaves {
    NotAtAll,
    /// The connection is there, and breaks before the body.
    CutBefore,
    CutWithin,
    Whole,
    /// Whole, and it never arrives.
    Lost,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Back {
    Whole,
    Half,
    Garbage,
    /// The connection breaks when the vendor has the request.
    Cut,
    /// Not before the caller has given up.
    TooLate,
}

impl Trip {
    fn draw(world: &mut World) -> Self {
        let quick = |world: &mut World| Duration::from_millis(1 + world.chance.below(80));
        let mut trip = Self {
            id: world.sent.len(),
            connects_after: quick(world),
            leaves: Leaves::Whole,
            travels: quick(world),
            comes_again: None,
            back: Back::Whole,
        };
        let (is_out, until) = world.lasts(Class::Outage, world.outage_until);
        world.outage_until = until;
        if world.strikes(Class::Unreachable) || is_out {
            trip.leaves = Leaves::NotAtAll;
        } else if world.strikes(Class::CutBeforeBody) {
            trip.leaves = Leaves::CutBefore;
        } else if world.strikes(Class::CutInBody) {
            trip.leaves = Leaves::CutWithin;
        } else if world.strikes(Class::CutWithoutEffect) {
            trip.leaves = Leaves::Lost;
        }
        if world.strikes(Class::SlowToWrite) {
            trip.connects_after = Duration::from_millis(world.chance.pick(&[3_000, 4_998, 4_999, 5_000, 5_001, 9_000]));
        }
        if world.strikes(Class::Late) {
            // After the caller's time is over, by up to 300 s.
            trip.travels = TIMEOUT + Duration::from_secs(world.chance.below(301));
        }
        if world.strikes(Class::Twice) {
            trip.comes_again = Some(Duration::from_millis(world.chance.below(5_000)));
        }
        if world.strikes(Class::CutAfterEffect) {
            trip.back = Back::Cut;
        } else if world.strikes(Class::HalfAnswer) {
            trip.back = Back::Half;
        } else if world.strikes(Class::Garbage) {
            trip.back = Back::Garbage;
        } else if world.strikes(Class::SlowAnswer) {
            trip.back = Back::TooLate;
        }
        trip
    }
}

fn maybe(why: &str) -> Result<WireResponse, SendError> {
    Err(SendError::MaybeSent(why.to_owned()))
}

fn not_sent(why: &str) -> Result<WireResponse, SendError> {
    Err(SendError::NotSent(why.to_owned()))
}

impl Transport for Network {
    fn send(&self, request: WireRequest, permit: Permit) -> Sending<'_> {
        Box::pin(async move {
            self.process.pass("calls").await;
            let trip = self.begin(&request);
            self.process.rest(trip.connects_after).await;
            if trip.leaves == Leaves::NotAtAll {
                return not_sent("connection refused");
            }
            self.process.pass("is about to write").await;
            if !permit.may_write() {
                self.world.lock().tell(|| format!("call {}: its time is over", trip.id));
                return not_sent("the time to send it is over");
            }
            if trip.leaves == Leaves::CutBefore {
                return not_sent("connection reset before the body");
            }
            let wrote_at = Instant::now();
            self.write(trip, request);
            self.process.pass("has written").await;
            let result = self.wait(trip, wrote_at).await;
            self.process.pass("has its answer").await;
            self.world.lock().tell(|| format!("call {}: {}", trip.id, what(&result)));
            self.sabotage.map_or_else(|| result.clone(), |sabotage| sabotage.result(result.clone()))
        })
    }
}

fn what(result: &Result<WireResponse, SendError>) -> String {
    match result {
        Ok(response) => format!("{} {}", response.status, String::from_utf8_lossy(&response.body).escape_debug()),
        Err(error) => format!("{error:?}"),
    }
}

impl Network {
    fn begin(&self, request: &WireRequest) -> Trip {
        let mut world = self.world.lock();
        let trip = Trip::draw(&mut world);
        let is_question = !request.url.ends_with("/submit");
        let body = String::from_utf8_lossy(&request.body);
        let lines: Vec<&str> = if is_question { Vec::new() } else { body.lines().skip(1).collect() };
        let at = world.now();
        let contents = lines.iter().map(|line| digest(line)).collect();
        let is_login = request.url.ends_with("/login");
        world.sent.push(Sent { process: self.process.id, at, contents, is_login, wrote: false });
        world.tell(|| {
            let asked = body.lines().nth(1).unwrap_or("for a token");
            let what = if is_question { asked.to_owned() } else { lines.join(" | ") };
            format!("process {}: call {} {what} {:?} {:?}", self.process.id, trip.id, trip.leaves, trip.back)
        });
        trip
    }

    fn write(&self, trip: Trip, request: WireRequest) {
        let mut world = self.world.lock();
        world.sent[trip.id].wrote = true;
        if trip.leaves != Leaves::Whole {
            return;
        }
        let keys = String::from_utf8_lossy(&request.body).lines().next().unwrap_or_default().replace("key ", "");
        let keys = if keys.ends_with(CANARY) { keys } else { String::new() };
        let is_login = request.url.ends_with("/login");
        let delivery = Delivery { trip: trip.id, is_copy: false, is_login, body: request.body, keys };
        let arrives = world.now() + millis(trip.travels);
        if let Some(later) = trip.comes_again {
            world.post(arrives + millis(later), Delivery { is_copy: true, ..delivery.clone() });
        }
        world.post(arrives, delivery);
    }

    async fn wait(&self, trip: Trip, wrote_at: Instant) -> Result<WireResponse, SendError> {
        let in_time = trip.travels < TIMEOUT && trip.back != Back::TooLate;
        match trip.leaves {
            Leaves::CutWithin => return maybe("connection reset within the body"),
            Leaves::Lost => {
                let breaks = self.world.lock().chance.percent(50);
                self.process.rest(if breaks { trip.travels.min(TIMEOUT) } else { TIMEOUT }).await;
                return maybe("connection reset after the body");
            }
            _ if !in_time => {
                self.process.rest(TIMEOUT).await;
                return maybe("no answer within its time");
            }
            _ => {}
        }
        let back = Duration::from_millis(1 + self.world.lock().chance.below(80));
        self.process.rest(trip.travels + back).await;
        if wrote_at.elapsed() > TIMEOUT {
            // The process stood still meanwhile, and its time ran out before it looked.
            return maybe("no answer within its time");
        }
        match self.come_back(trip) {
            Some(result) => result,
            // It was for a process that nobody hears of any more.
            None => pending().await,
        }
    }

    /// What the caller gets of the answer.
    fn come_back(&self, trip: Trip) -> Option<Result<WireResponse, SendError>> {
        let mut world = self.world.lock();
        let answer = world.answer(trip.id)?;
        Some(match trip.back {
            Back::Cut => maybe("connection reset before the answer"),
            Back::Half if world.chance.percent(50) => maybe("connection reset within the answer"),
            Back::Half => {
                let half = usize::try_from(world.chance.below(answer.body.len() as u64)).unwrap();
                Ok(WireResponse { body: answer.body[..half].to_vec(), ..answer })
            }
            Back::Garbage => {
                let body =
                    world.chance.pick(&["<html>log in</html>", "", "\u{0}\u{1}", "row", "reference", "row A yes\nend", "{}"]);
                let status = world.chance.pick(&[200, answer.status]);
                Ok(WireResponse { status, body: body.as_bytes().to_vec(), ..WireResponse::default() })
            }
            Back::Whole | Back::TooLate => Ok(answer),
        })
    }
}

fn millis(time: Duration) -> Millis {
    Millis::try_from(time.as_millis()).unwrap()
}
