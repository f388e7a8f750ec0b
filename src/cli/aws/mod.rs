//! `payables portal` and `payables invoice-unit`: what AWS Invoicing is set to, kept as files.

mod files;
mod import;
mod invoices;
mod look;
mod office;
mod plan;
mod portal;
mod steps;

use super::run;

use super::Ended;
use super::args::aws::{PortalArgs, PortalCommand, UnitArgs, UnitCommand};
use crate::vendors::aws::{InvoiceUnit, Preference, judge_preferences, judge_units};
use files::Given;
use office::Office;

fn now() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default()
}

/// `payables portal`
pub(super) fn portal(args: &PortalArgs) -> Ended {
    type One<'p> = Preference<'p>;
    match &args.what {
        PortalCommand::Plan(args) => {
            let office = Office::of(&args.target)?;
            let given = files::read(&args.path)?;
            plan::plan(args, &office, judge_preferences(&given, office.levels(), now()))
        }
        PortalCommand::Apply(args) => {
            let office = Office::of(&args.target)?;
            let given = Given::read(&args.path)?;
            plan::apply(args, &office, given.wanted(|files| judge_preferences(files, office.levels(), now()))?)
        }
        PortalCommand::Import(args) => {
            let office = Office::of(&args.target)?;
            let folder = import::folder(args, "portals");
            let given = files::read_if_any(&folder)?;
            import::import(args, &office, &folder, judge_preferences(&given, office.levels(), now()))
        }
        PortalCommand::List(args) => look::list::<One<'_>>(args),
        PortalCommand::Get(args) => look::get::<One<'_>>(args),
        PortalCommand::Validate(args) => {
            let office = Office::of(&args.meant.target)?;
            let given = files::meant(&args.meant.meant);
            portal::validate(args, &office, judge_preferences(&given, office.levels(), now()))
        }
        PortalCommand::Status(args) => {
            let office = Office::of(&args.meant.target)?;
            let given = files::meant(&args.meant.meant);
            portal::status(args, &office, judge_preferences(&given, office.levels(), now()))
        }
        PortalCommand::Delete(args) => {
            let office = Office::of(&args.meant.target)?;
            let given = files::meant(&args.meant.meant);
            plan::delete(args, &office, judge_preferences(&given, office.levels(), now()))
        }
        PortalCommand::Suppliers(args) => portal::suppliers(args),
        PortalCommand::Invoices(args) => invoices::invoices(args),
    }
}

/// `payables invoice-unit`
pub(super) fn invoice_unit(args: &UnitArgs) -> Ended {
    type One<'u> = InvoiceUnit<'u>;
    match &args.what {
        UnitCommand::Plan(args) => {
            let office = Office::of(&args.target)?;
            let given = files::read(&args.path)?;
            plan::plan(args, &office, judge_units(&given, office.levels()))
        }
        UnitCommand::Apply(args) => {
            let office = Office::of(&args.target)?;
            let given = Given::read(&args.path)?;
            plan::apply(args, &office, given.wanted(|files| judge_units(files, office.levels()))?)
        }
        UnitCommand::Import(args) => {
            let office = Office::of(&args.target)?;
            let folder = import::folder(args, "invoice-units");
            let given = files::read_if_any(&folder)?;
            import::import(args, &office, &folder, judge_units(&given, office.levels()))
        }
        UnitCommand::List(args) => look::list::<One<'_>>(args),
        UnitCommand::Get(args) => look::get::<One<'_>>(args),
        UnitCommand::Delete(args) => {
            let office = Office::of(&args.meant.target)?;
            let given = files::meant(&args.meant.meant);
            plan::delete(args, &office, judge_units(&given, office.levels()))
        }
    }
}
