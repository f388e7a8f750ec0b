//! `plan`, `apply` and `delete`: what has to be done, and doing it.

use std::io::{BufWriter, Write as _, stderr, stdout};

use super::files::{self, Vault, Wanted};
use super::office::{self, Desk, Office};
use super::steps::{self, Reported, item, on_stdout};
use super::{now, run};
use crate::adapter::DRY_RUN;
use crate::bridge::aws::{Kept, Trouble};
use crate::cli::args::aws::{AllowedArgs, ApplyArgs, DeleteArgs, PlanArgs};
use crate::cli::run::colours;
use crate::cli::times;
use crate::cli::{Ended, Failure};
use crate::journal::{Concluded, Intents as _, Journal as _, Sqlite};
use crate::model::Fault;
use crate::outcome::{Action, Exit, Outcome};
use crate::report::Item;
use crate::vendors::aws::{self, Allowed, Held, Judged, Reference, SavedPlan, Step};

impl From<&AllowedArgs> for Allowed {
    fn from(args: &AllowedArgs) -> Self {
        Self { prune: args.prune, replace: args.replace }
    }
}

/// What is compared with all that AWS holds has to be all that is wanted.
fn check_prune(allowed: &AllowedArgs, path: &std::path::Path) -> Result<(), Failure> {
    if allowed.prune && !path.is_dir() {
        let message = "--prune deletes what no file speaks of, so it needs the folder with all files, not one of them";
        return Err(Failure::new(Exit::Usage, message));
    }
    if let Some(folder) = files::folder_with_more(path).filter(|_| allowed.prune) {
        let message =
            format!("{} has files in it, too, which are not read, so --prune cannot tell what they speak of", folder.display());
        return Err(Failure::new(Exit::Usage, message));
    }
    Ok(())
}

/// `plan`
pub(super) fn plan<T: Kept>(args: &PlanArgs, office: &Office, wanted: Vec<Judged<'_, T>>) -> Ended {
    check_prune(&args.allowed, &args.path)?;
    run::runtime()?.block_on(async {
        let desk = office.desk(args.sandbox).await?;
        let made = make(&desk, wanted, (&args.allowed).into(), Vault::new(args.sandbox)).await;
        let requests = desk.account.requests();
        desk.close().await;
        let Made { steps, left_alone, .. } = match made {
            Ok(made) => made,
            Err((wanted, trouble)) => {
                return unasked(office, wanted.into_iter().map(unplanned).collect(), &trouble, args.sandbox);
            }
        };
        if let Some(out) = &args.out {
            let saved = SavedPlan::of(&office.target.name, office.place(args.sandbox), times::stamp(times::now()), &steps);
            let mut text =
                serde_json::to_vec_pretty(&saved).map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))?;
            text.push(b'\n');
            office::write(out, &text)?;
        }
        let mut reported = on_stdout(office, args.sandbox);
        reported.summary.requests = requests;
        let (mut destroyed, mut pending) = (0, false);
        for step in steps {
            let planned = step.outcome == Outcome::Planned;
            pending |= planned;
            destroyed += usize::from(planned && step.destroys());
            reported.item(item(&step, step.outcome, None, step.faults.clone()));
        }
        note_left_alone::<T>(&mut reported, left_alone);
        if destroyed > 0 {
            let note = format!("{destroyed} would be deleted, which cannot be undone; apply does that with --yes only");
            reported.summary.note(note);
        }
        let exit = reported.finish()?;
        Ok(if exit == Exit::Done && pending && args.detailed_exitcode { Exit::Changes } else { exit })
    })
}

/// What a plan is made of.
struct Made<T> {
    steps: Vec<Step<T>>,
    /// How many AWS holds of which nobody speaks.
    left_alone: usize,
    vault: Vault,
}

/// Compares what is wanted with what AWS holds, if that tells.
async fn make<'f, T: Kept>(
    desk: &Desk,
    mut wanted: Vec<Judged<'f, T>>,
    allowed: Allowed,
    mut vault: Vault,
) -> Result<Made<T>, (Vec<Judged<'f, T>>, Trouble)> {
    wanted.iter_mut().for_each(|judged| vault.look_up(judged));
    let held = match desk.account.all::<T>().await {
        Ok(held) => held,
        Err(trouble) => return Err((wanted, trouble)),
    };
    let there = held.len();
    let steps = aws::plan(wanted, held, allowed, &|reference| vault.get(reference));
    let left_alone = there - steps.iter().filter(|step| step.held.is_some()).count();
    Ok(Made { steps, left_alone, vault })
}

/// What a file asks for when nobody knows what AWS holds.
fn unplanned<T: Kept>(judged: Judged<'_, T>) -> Step<T> {
    Step {
        action: Action::Keep,
        name: judged.content.name(),
        file: Some(judged.name.to_owned()),
        outcome: if judged.is_sound() { Outcome::Planned } else { Outcome::Invalid },
        wanted: Some(judged.content),
        held: None,
        changes: Vec::new(),
        faults: judged.faults,
    }
}

/// Reports what cannot be told or done, since AWS does not say what it holds. What is wrong with files is told all the same.
fn unasked<T: Kept>(office: &Office, steps: Vec<Step<T>>, trouble: &Trouble, is_trial: bool) -> Ended {
    let mut reported = on_stdout(office, is_trial);
    // Nothing was to be changed yet, so it does not matter how far the question went.
    let trouble = match trouble {
        Trouble::MaybeSent(why) => &Trouble::NotSent(why.clone()),
        trouble => trouble,
    };
    for step in steps {
        let is_wanted = step.outcome == Outcome::Planned;
        let outcome = if is_wanted { Outcome::NotSent } else { step.outcome };
        let faults = step.faults.iter().cloned().chain(is_wanted.then(|| trouble.faults()).into_iter().flatten()).collect();
        reported.item(item(&step, outcome, None, faults));
    }
    reported.summary.note(format!("what AWS holds could not be asked for (at {}), so nothing was done", office.place(is_trial)));
    reported.summary.end_with(trouble.exit());
    reported.finish()
}

fn note_left_alone<T: Kept>(reported: &mut Reported<impl std::io::Write>, count: usize) {
    if count > 0 {
        let noun = if count == 1 { T::NOUN.to_owned() } else { format!("{}s", T::NOUN) };
        reported.summary.note(format!("AWS holds {count} {noun} more of which no file speaks; left alone without --prune"));
    }
}

/// `apply`
pub(super) fn apply<T: Kept>(args: &ApplyArgs, office: &Office, wanted: Wanted<'_, T>) -> Ended {
    if args.dry_run {
        return dry_run(office, wanted);
    }
    if let Wanted::Files(_) = wanted {
        check_prune(&args.allowed, &args.path)?;
    } else if args.allowed.prune || args.allowed.replace {
        return Err(Failure::new(Exit::Usage, "the plan says what is deleted and replaced; --prune and --replace are for plan"));
    }
    let mut vault = Vault::new(args.sandbox);
    if let Wanted::Plan(saved) = &wanted {
        check(office, saved, &mut vault, args.sandbox)?;
    }
    run::runtime()?.block_on(async {
        // The lock is taken before anything is looked at: what is seen is what is changed.
        let journal = office.journal(args.sandbox, args.wait_lock)?;
        let desk = office.desk(args.sandbox).await?;
        let mut made = match wanted {
            Wanted::Files(wanted) => match make(&desk, wanted, (&args.allowed).into(), vault).await {
                Ok(made) => made,
                Err((wanted, trouble)) => {
                    return unasked(office, wanted.into_iter().map(unplanned).collect(), &trouble, args.sandbox);
                }
            },
            Wanted::Plan(saved) => match desk.account.all::<T>().await {
                Ok(held) => Made { steps: saved.follow(held, &|reference| vault.get(reference)), left_alone: 0, vault },
                Err(trouble) => return unasked(office, saved.as_planned(), &trouble, args.sandbox),
            },
        };
        ask_for_yes(&mut made.steps, args.yes);
        let inputs = vec![args.path.display().to_string()];
        let ended = steps::run(office, &desk, journal, &made.vault, made.steps, inputs, args.sandbox).await;
        desk.close().await;
        ended
    })
}

/// Whether a plan that was saved can be used: it is for this target and place, it says what AWS takes, and its secrets are there.
fn check<T: Kept>(office: &Office, saved: &SavedPlan<T>, vault: &mut Vault, is_trial: bool) -> Result<(), Failure> {
    if saved.target != office.target.name {
        let message = format!("the plan is for {}, and this is {}; say --to {}", saved.target, office.target.name, saved.target);
        return Err(Failure::new(Exit::Usage, message));
    }
    if saved.place != office.place(is_trial) {
        let message =
            format!("the plan was made for {}, and this is {}; make a new one here", saved.place, office.place(is_trial));
        return Err(Failure::new(Exit::Usage, message));
    }
    let mut unusable = Vec::new();
    for step in &saved.steps {
        let name = step.name.clone().unwrap_or_default();
        if !step.is_whole() {
            unusable.push(format!("{name}: it does not have what {} needs, and nothing else", step.action.word()));
        }
        let Some(wanted) = &step.wanted else { continue };
        let faults = step.judge(office.levels(), now());
        let errors = faults.into_iter().chain(vault.look_up_all(wanted)).filter(Fault::is_error);
        let told = |fault: Fault| {
            let rule = fault.rule.clone();
            format!("{name}: {} [{rule}]", office::placed(fault))
        };
        unusable.extend(errors.map(told));
    }
    if unusable.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Exit::Nothing, format!("the plan cannot be used: {}", unusable.join("; "))))
}

/// What cannot be undone is done only when that is said.
fn ask_for_yes<T: Kept>(steps: &mut [Step<T>], yes: bool) {
    for step in steps.iter_mut().filter(|step| !yes && step.destroys()) {
        let noun = T::NOUN;
        let what = if step.action == Action::Replace { "deleted and made anew" } else { "deleted" };
        step.hold("AWS-054", format!("this {noun} would be {what}, which cannot be undone; if that is meant, use --yes"));
    }
}

/// Prints the requests, and asks nobody.
fn dry_run<T: Kept>(office: &Office, wanted: Wanted<'_, T>) -> Ended {
    let steps = match wanted {
        Wanted::Files(wanted) => aws::plan(wanted, Vec::new(), Allowed::default(), &|_| None),
        Wanted::Plan(saved) => saved.as_planned(),
    };
    let mut reported = Reported::to(BufWriter::new(stderr().lock()), colours(&stderr()), office, true, false);
    let mut out = BufWriter::new(stdout().lock());
    for step in steps {
        if step.outcome == Outcome::Planned {
            for call in step.calls() {
                let mut line = call.line(&|_: &Reference<'_>| DRY_RUN.to_owned(), DRY_RUN);
                line.push(b'\n');
                out.write_all(&line).map_err(|error| Failure::output(&error))?;
            }
        }
        reported.item(item(&step, step.outcome, None, step.faults.clone()));
    }
    out.flush().map_err(|error| Failure::output(&error))?;
    reported.finish()
}

/// Whether something was deleted by a command that did not see it: its intent is open, and AWS holds it no more.
async fn was_deleted<T: Kept>(office: &Office, desk: &Desk, journal: &mut Sqlite, arn: &str) -> Result<bool, Failure> {
    let [.., delete] = T::OPERATIONS;
    let scope = journal.scope(&office.target.scope())?;
    let open: Vec<_> = journal.intents(scope, arn)?.into_iter().filter(|open| open.operation == delete).collect();
    if open.is_empty() || !matches!(desk.account.get::<T>(arn).await, Ok(None)) {
        return Ok(false);
    }
    for open in open {
        journal.conclude(open.id, times::now(), Concluded::Done, "read back")?;
    }
    Ok(true)
}

/// `delete`
pub(super) fn delete<T: Kept>(args: &DeleteArgs, office: &Office, meant: Vec<Judged<'_, T>>) -> Ended {
    run::runtime()?.block_on(async {
        let mut journal = office.journal(false, args.meant.wait_lock)?;
        let desk = office.desk(false).await?;
        let arn = meant.first().map_or(Some(args.meant.meant.as_str()), |judged| judged.content.arn());
        if let Some(arn) = arn
            && was_deleted::<T>(office, &desk, &mut journal, arn).await?
        {
            let mut reported = on_stdout(office, false);
            let (outcome, reference) = (Outcome::Unchanged, Some(arn.to_owned()));
            let (kind, number, faults, source) = (None, None, Vec::new(), None);
            reported.item(Item { kind, number, outcome, reference, faults, source, plan: None, amount: None });
            reported.summary.note("AWS had deleted it already".to_owned());
            return reported.finish();
        }
        let held: Held<T> = desk.meant(&args.meant.meant, meant).await?;
        let mut steps = vec![aws::delete(held)];
        ask_for_yes(&mut steps, args.yes);
        let inputs = vec![args.meant.meant.clone()];
        steps::run(office, &desk, journal, &Vault::default(), steps, inputs, false).await
    })
}
