//! Announced addresses and what became of them (RFC 8684, section 3.4).

use super::claim::{Claim, Subject};
use super::view::View;
use super::words::{frames, sender};
use std::net::SocketAddr;
use subflow_analysis::rows::{Announcement, EventKind, Finding};

const RULE: &str = "RFC 8684 (RFC 6824), section 3.4.1: ADD_ADDR with an HMAC and an echo in version 1; joined when a SYN to the address follows";

pub(super) fn claims(view: &View<'_>, claims: &mut Vec<Claim>) {
    let key = |row: &Announcement| (row.direction, row.address_id, row.addr, row.port);
    let mut seen = Vec::new();
    for row in view.announcements.iter().filter(|row| !row.echo) {
        if seen.contains(&key(row)) {
            continue;
        }
        seen.push(key(row));
        let told: Vec<_> =
            view.announcements.iter().filter(|other| !other.echo && key(other) == key(row)).collect();
        let echoes: Vec<_> = view
            .announcements
            .iter()
            .filter(|other| {
                other.echo
                    && other.direction != row.direction
                    && (other.address_id, other.addr, other.port) == (row.address_id, row.addr, row.port)
            })
            .collect();
        claims.push(one(view, row, &told, &echoes));
    }
}

fn one(view: &View<'_>, row: &Announcement, told: &[&&Announcement], echoes: &[&&Announcement]) -> Claim {
    let what =
        row.port.map_or_else(|| row.addr.to_string(), |port| SocketAddr::from((row.addr, port)).to_string());
    let told_in: Vec<_> = told.iter().map(|other| other.frame).collect();
    let mut proof = told_in.clone();
    let who = super::words::capital(sender(row.direction));
    let mut text = format!(
        "{who} announced {what} ({}) as address id {} in {} ({})",
        row.class,
        row.address_id,
        frames(&told_in),
        view.moment(row.time)
    );
    text.push_str(match row.hmac_ok {
        Some(true) => ", with the right HMAC. ",
        Some(false) => ", with a wrong HMAC, so the receiver must ignore it. ",
        None => ". ",
    });
    if let Some(echo) = echoes.first() {
        proof.push(echo.frame);
        text.push_str(&format!("The peer echoed it in frame {}. ", echo.frame));
    } else if row.echoed == Some(false) {
        text.push_str("No echo came: the announcement or its echo was lost, or the peer ignores it. ");
    }
    let of_class = |finding| {
        view.events.iter().any(|event| event.finding == Some(finding) && told_in.contains(&event.frame))
    };
    if of_class(Finding::UnreachableAddressAnnounced) || of_class(Finding::PrivateAddressAnnounced) {
        text.push_str(&format!("Being {}, it cannot be reached from elsewhere. ", row.class));
    }
    let joins: Vec<_> = view
        .subflows
        .iter()
        .filter(|subflow| {
            subflow.dst_addr == row.addr
                && row.port.is_none_or(|port| port == subflow.dst_port)
                && subflow.subflow_id != 0
                && subflow.start >= row.time
        })
        .collect();
    let withdrawn = view.events_of(EventKind::RemoveAddr).find(|event| {
        event.direction == row.direction
            && event.time >= row.time
            && event
                .detail
                .strip_prefix("withdraws address id ")
                .is_some_and(|ids| ids.split(", ").any(|id| id == row.address_id.to_string()))
    });
    match joins.as_slice() {
        [] if row.joined => text.push_str("A subflow to it was attempted. "),
        [] => text.push_str("No subflow to it was attempted. "),
        joins => {
            for subflow in joins {
                proof.extend(view.syns(subflow).first().map(|packet| packet.frame));
                text.push_str(&format!("Subflow {} went there: {}. ", subflow.subflow_id, subflow.state));
            }
        }
    }
    if let Some(event) = withdrawn {
        proof.push(event.frame);
        text.push_str(&format!(
            "Withdrawn by REMOVE_ADDR in frame {} ({}). ",
            event.frame,
            view.moment(event.time)
        ));
    }
    let name = if !joins.is_empty() || row.joined { "address_joined" } else { "address_not_joined" };
    Claim::new(view.id(), Subject::Announcements, name, RULE)
        .at(row.time)
        .on(row.subflow_id)
        .towards(row.direction)
        .proved_by(proof)
        .say(text.trim_end())
}
