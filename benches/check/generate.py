#!/usr/bin/env python3
"""Writes a script of Orch with about as many lines as asked for, like a large project in one file: entities, messages,
definitions, and campaigns that use them. The same number of lines is always the same script.

    python3 benches/check/generate.py 10000 > big.orch
    python3 benches/check/generate.py 10000 flat > flat.orch       one campaign of thousands of statements
    python3 benches/check/generate.py 10000 wrong > wrong.orch     the same with a mistake in every fourth line
"""

import sys

HEAD = """\
use std.rfm as rfm
use std.ab as ab
use std.calendar as calendar

topic news "News" (consent: opt_in)
topic offers "Offers"

policy careful {
  cap email 3 per 7d
  cap any 5 per 7d
  quiet sms 21:00 to 08:00 local
}
"""

AREA = """
## People of area {n}.
entity customers_{n} from "data/customers_{n}.csv" {{
  id:         int key
  email:      email?
  phone:      phone?
  first_name: text?
  country:    text
  tier:       "bronze" | "silver" | "gold"
  spend:      decimal
  joined:     date
  birthday:   date?
  zone:       timezone = "Europe/Paris"
  opt_in:     bool
  store_id:   int?
  orders:     many orders_{n} by customer_id
  consent email = opt_in
}}

## What they bought.
entity orders_{n} from "data/orders_{n}.csv" {{
  id:          int key
  customer_id: int
  sku:         text
  amount:      decimal
  placed_at:   timestamp
  status:      "paid" | "shipped" | "returned"
  customer:    one customers_{n} by customer_id
}}

## Bought something within a time.
define active_{n}(window: duration) of customers_{n} = exists(orders where placed_at > ago(window))

define worth_{n} of customers_{n}: decimal = sum(amount of orders where status != "returned")

message email letter_{n} of customers_{n} {{
  subject: "Hi {{first_name ?? "there"}}, it has been a while"
  text: \"\"\"
    Hi {{first_name ?? "there"}},

    your {{tier}} card is still valid in {{country}}.
    You spent {{format_number(spend, 2, ",")}} with us.
    \"\"\"
  topic: news
}}

message email reminder_{n} of customers_{n} {{
  subject: "One more thing"
  text: "Come and see us, {{first_name ?? "friend"}}."
  topic: offers
}}

define remind_{n}(target: segment of customers_{n}, m: message for email, pause: duration) {{
  send email m to target as first
  wait pause
  send email reminder_{n} to first.sent except first.opened
}}
"""

CAMPAIGN = """
## Those of area {a} who have fallen silent, part {n}.
campaign winback_{n}(country: text = "FR")
  every monday at 09:00 in "Europe/Paris"
  overlap skip
{{
  let floor_{n} = {n}.50
  segment silent = customers_{a}
    where country = winback_{n}.country
      and spend >= floor_{n}
      and tier in ("silver", "gold")
      and not active_{a}(90d)
      and (birthday is null or years_since(birthday) >= 18)
    with last = first(sku of orders order by placed_at desc), total = worth_{a}
    dedupe by lower(email) prefer total desc
    limit 10_000 by total desc
  segment best = silent where rfm.monetary(total) >= 4 and rfm.recency(days_since(joined)) <= 3
  split silent except best into {{
    a: 40%
    b: 40%
    rest: otherwise
  }} seed "part {n}"
  send email letter_{a} to a {{ policy: careful }} as letters
  wait 3d
  if count(letters.opened) * 2 > count(letters.sent) {{
    send email reminder_{a} to letters.sent except letters.clicked
  }} else {{
    log "only {{count(letters.opened)}} of {{count(letters.sent)}} letters were opened"
  }}
  do remind_{a}(b, letter_{a}, 2d)
  wait until calendar.next_working_day(today() + 3d)
  do ab.email_test(best, letter_{a}, reminder_{a})
  export rest to "out/rest-{n}-{{today()}}.csv" {{ columns: [id, email, total], if_empty: skip }}
}}
"""


FLAT = """\
segment part_{n} = people where spend > {n} and country{wrong} = "FR"
send email hello to part_{n} as sent_{n}
if count(sent_{n}.opened) > {n} {{ log "part {n}" }}
let limit_{n} = {n} * 2
"""

FLAT_HEAD = """\
entity people from "people.csv" { id: int key; email: email?; spend: decimal; country: text; opt_in: bool }
topic news "News" (consent: opt_in)
message email hello of people { subject: "Hi"; text: "Hi"; topic: news }
"""


def flat(lines, wrong):
    """Prints one campaign."""
    numbers = range(1, max(lines // 4, 1) + 1)
    print(FLAT_HEAD + "".join(FLAT.format(n=n, wrong=n if wrong else "") for n in numbers), end="")


def main(lines):
    """Prints parts until there are enough lines."""
    out = [HEAD]
    count = HEAD.count("\n")
    area = campaign = 0
    while count < lines:
        if campaign % 10 == 0:
            area += 1
            part = AREA.format(n=area)
        else:
            part = ""
        campaign += 1
        part += CAMPAIGN.format(n=campaign, a=area)
        out.append(part)
        count += part.count("\n")
    sys.stdout.write("".join(out))


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    kind = sys.argv[2] if len(sys.argv) > 2 else "real"
    if kind == "real":
        main(count)
    else:
        flat(count, kind == "wrong")
