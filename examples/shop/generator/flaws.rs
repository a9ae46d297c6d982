//! What is wrong with the data on purpose.

use crate::chance::Rng;
use crate::names::{KNOWN, NOTE_OF_TWO_LINES};
use crate::{Customer, Order, Wish, capitalised};

const WITHOUT_ADDRESS: usize = 300;
const MALFORMED: usize = 49;
const SHARED_ADDRESS: usize = 60;
const SHARED_BUT_FOR_CASE: usize = 40;
const UNKNOWN_STORE: usize = 35;
const MALFORMED_PHONE: usize = 12;
const ORDERS_OF_NOBODY: usize = 120;
const ORDERS_OF_NOTHING: usize = 45;
const WISHES_OF_NOBODY: usize = 30;
const WISHES_FOR_NOTHING: usize = 25;

/// The first of the numbers that no customer has.
const NOBODY: u32 = 900_001;

/// Old orders whose customer or article has been deleted since.
pub fn spoil_orders(orders: &mut Vec<Order>, rng: &mut Rng) {
    let is_known = |order: &Order| KNOWN.iter().any(|known| known.id == order.customer_id);
    let others: Vec<usize> = (0..orders.len()).filter(|&i| !is_known(&orders[i])).collect();
    let others = rng.shuffled(&others);
    for (number, &&i) in others.iter().take(ORDERS_OF_NOTHING).enumerate() {
        orders[i].sku = deleted_article(number);
    }
    for (number, &&i) in others.iter().rev().take(ORDERS_OF_NOBODY).enumerate() {
        let customer_id = NOBODY + number as u32 / 2;
        orders.push(Order { customer_id, ..orders[i].clone() });
    }
}

pub fn spoil_wishes(wishes: &mut [Wish]) {
    let (of_nobody, others) = wishes.split_at_mut(WISHES_OF_NOBODY);
    for (id, wish) in (NOBODY..).zip(of_nobody) {
        wish.customer_id = id;
    }
    for (number, wish) in others.iter_mut().take(WISHES_FOR_NOTHING).enumerate() {
        wish.sku = deleted_article(number);
    }
    wishes[WISHES_OF_NOBODY + WISHES_FOR_NOTHING].note = Some(NOTE_OF_TWO_LINES);
}

fn deleted_article(number: usize) -> String {
    format!("OLD-{:03}", number % 15 + 1)
}

/// Nobody's address gets two flaws, so each can be counted by itself.
pub fn spoil_customers(customers: &mut [Customer], rng: &mut Rng) {
    let others: Vec<usize> = (0..customers.len()).filter(|&i| customers[i].known.is_none()).collect();
    let mut deck = rng.shuffled(&others).into_iter().copied();
    let mut deal = |count| deck.by_ref().take(count).collect::<Vec<_>>();

    for i in deal(WITHOUT_ADDRESS) {
        customers[i].email = None;
    }
    for (kind, i) in deal(MALFORMED).into_iter().enumerate() {
        customers[i].email = customers[i].email.as_deref().map(|email| malformed(email, kind));
    }
    for (one, other) in deal(SHARED_ADDRESS).into_iter().zip(deal(SHARED_ADDRESS)) {
        share_address(customers, one, other);
    }
    let twice = deal(SHARED_BUT_FOR_CASE).into_iter().zip(deal(SHARED_BUT_FOR_CASE));
    for (kind, (one, other)) in twice.enumerate() {
        register_twice(customers, one, other, kind);
    }
    spoil_other_fields(customers, &rng.shuffled(&others), rng);
}

fn malformed(email: &str, kind: usize) -> String {
    let (name, domain) = parts(email);
    match kind % 7 {
        0 => format!("{name}@@{domain}"),
        1 => format!("{name}.{domain}"),
        2 => format!("{name}@{domain}  "),
        3 => format!("{} {}@{domain}", &name[..1], &name[1..]),
        4 => format!("{name}@"),
        5 => format!("@{domain}"),
        _ => format!("{name}@{}", domain.replace('.', ",")),
    }
}

fn parts(email: &str) -> (&str, &str) {
    email.split_once('@').expect("every address was made with an @")
}

/// Two people of one household who read their mail together.
fn share_address(customers: &mut [Customer], one: usize, other: usize) {
    let one = customers[one].clone();
    let other = &mut customers[other];
    (other.email, other.last_name) = (one.email, one.last_name);
    (other.country, other.city, other.zone) = (one.country, one.city, one.zone);
    other.store_id = one.store_id;
}

/// One person with two accounts, because the shop once compared addresses letter by letter.
fn register_twice(customers: &mut [Customer], one: usize, other: usize, kind: usize) {
    share_address(customers, one, other);
    let email = customers[one].email.as_deref().unwrap_or_default().to_lowercase();
    let (name, domain) = parts(&email);
    customers[other].email = Some(match kind % 3 {
        0 => capitalised(&email),
        1 => email.to_uppercase(),
        _ => format!("{name}@{}", capitalised(domain)),
    });
    customers[one].email = Some(email);
    customers[other].first_name = customers[one].first_name;
    customers[other].birthday = customers[one].birthday;
}

fn spoil_other_fields(customers: &mut [Customer], deck: &[&usize], rng: &mut Rng) {
    let (stores, deck) = deck.split_at(UNKNOWN_STORE);
    for &&i in stores {
        customers[i].store_id = Some(*rng.pick(&[77, 98, 99]));
    }
    let (phones, deck) = deck.split_at(MALFORMED_PHONE);
    for &&i in phones {
        customers[i].phone = Some((*rng.pick(&["n/a", "06 39 98", "+33", "ask Anna", "0000"])).to_owned());
    }
    for &&i in deck {
        if rng.chance(16) {
            customers[i].first_name = None;
        }
        if rng.chance(8) {
            customers[i].last_name = None;
        }
    }
}
