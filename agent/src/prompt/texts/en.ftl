## Titles

title-confirm = Confirm your identity
title-sign-in = Sign in
title-sign = Sign documents
title-certificate = Hand over a certificate
title-choose = Choose a certificate
title-insert = Insert your card or token
title-last-try = The last try of the PIN
title-pin-change = Change the PIN
title-pin-change-first = The PIN must be changed first
title-pin-unblock = Unblock the PIN
title-pair = Pair a browser plugin

## What a portal asks. Its address stands on the line above.

asks-confirm = asks you to confirm who you are. If you agree, it gets your signature and your certificate with your name.
asks-sign-in = asks you to sign in. If you agree, it gets your signature and your certificate with your name.
asks-card-confirm = asks you to confirm who you are with your universal electronic card (УЭК). If you agree, it gets what the card holds of you: its number, your SNILS, name and date of birth.
asks-card-confirm-signed = asks you to confirm who you are with your universal electronic card (УЭК). If you agree, it gets the card's number, your SNILS, your signature and your certificate with your name.
asks-card-sign-in = asks you to sign in with your universal electronic card (УЭК). If you agree, it gets what the card holds of you: its number, your SNILS, name and date of birth.
asks-card-sign-in-signed = asks you to sign in with your universal electronic card (УЭК). If you agree, it gets the card's number, your SNILS, your signature and your certificate with your name.
asks-sign = { $count ->
        [one] asks you to sign { $count } document. If you agree, it gets your signature and your certificate with your name.
       *[other] asks you to sign { $count } documents. If you agree, it gets your signatures and your certificate with your name.
    }

asks-certificate = asks for the certificate that you sign documents with. If you agree, it gets this certificate with your name. Nothing is signed, and no PIN is needed.
asks-certificate-sign-in = asks for the certificate that you sign in with. If you agree, it gets this certificate with your name. Nothing is signed, and no PIN is needed.
embedded = It is embedded in a page of another site, the one in the address bar of your browser:

## Where the plugin cannot tell which page asks: this stands above what is asked, the address below it.

unattested = SITE NOT KNOWN: a page served by the plugin "{ $client }", which does not say which page it is,
unattested-for = What you agree to is meant for:

## What should make the person look twice

warning-punycode = CAUTION: this address holds letters of a foreign alphabet, written as "xn--". It may imitate a site you know.
warning-address = CAUTION: this is a number, not a site's name. Nobody vouches for whose it is.
warning-insecure = CAUTION: the connection is not encrypted. Agree only if you are developing this site on your own computer.
warning-top-punycode = CAUTION: the address of the page that it is embedded in holds letters of a foreign alphabet, written as "xn--". That page may imitate a site you know.
warning-top-address = CAUTION: the page that it is embedded in has a number for an address, not a site's name. Nobody vouches for whose it is.
warning-top-insecure = CAUTION: the connection to the page that it is embedded in is not encrypted. Agree only if you are developing that site on your own computer.
warning-top-long = CAUTION: the address of the page that it is embedded in is unusually long. What counts is how the site's name ends: { $end }
warning-long = CAUTION: the address is unusually long. What counts is how the site's name ends: { $end }
warning-unattested = CAUTION: agree only if you have just begun to sign in at this address yourself, and your browser shows it in its address bar.
card-unproven = CAUTION: nothing checked that this card is genuine (eid-agent was given no certificate to check it with). A forged card learns the PIN that you type.
card-ended = The programme of these cards ended with 2016: the site decides whether it takes one still.
literal = What gets signed is the site's one-time code as it is, without the site's name. Agree only if you have just begun this on the site yourself.
test = TEST TOKEN: what it signs proves nothing about a person.

## With what

certificate = Certificate: { $name }
certificate-organization = Organization: { $organization }
number-snils = SNILS { $number }
number-inn = INN { $number }
number-ogrnip = OGRNIP { $number }
number-innle = INN of the organization { $number }
number-ogrn = OGRN { $number }
qualified = The certificate calls itself qualified, class { $class }
identified-in-person = The certificate says: the person was identified face to face.
identified-by-signature = The certificate says: the person was identified by an earlier qualified signature.
identified-by-passport = The certificate says: the person was identified by the chip of a passport.
identified-by-biometry = The certificate says: the person was identified by biometry (ЕБС).
identified-otherwise = The certificate says: the person was identified in the way numbered { $kind }.
tool-subject = Signature tool: { $tool }
tool-issuer = The issuer's tools: { $tool }; { $ca }
key-period = The key signs from { $from } to { $to }
certificate-issuer = Issued by: { $issuer }
certificate-key = Key: { $key }
certificate-serial = Serial number: { $serial }
certificate-validity = Valid from { $from } to { $to }
token = Card or token: { $label }
token-reader = Card or token: { $label } ({ $reader })
client = The request came through a browser plugin that calls itself "{ $client }".
document = Document: { $name }
document-unnamed = Document without a name
digest = Digest ({ $hash }): { $digest }
numbered = { $number }. { $text }

## The PIN

tries-left = { $count ->
        [one] { $count } try of the PIN is left.
       *[other] { $count } tries of the PIN are left.
    }
tries-last = THIS IS THE LAST TRY: if the PIN is wrong, it locks.
tries-low = The PIN was entered wrongly before. Too many wrong entries lock it.
last-try = One try of the PIN is left. If you enter it wrongly, the PIN locks, and only the PUK, or the issuer of a card without one, can unlock it. Go on?
pin-on-pad = After you agree, type the PIN on the reader itself.
error-pin = Wrong PIN.
error-pin-tries = { $count ->
        [one] Wrong PIN. { $count } try is left.
       *[other] Wrong PIN. { $count } tries are left.
    }
error-pin-empty = Please enter the PIN.
error-pin-length = The PIN has { $least } to { $most } characters. No try was spent.
error-pin-form = The card does not take a PIN of this form or length. The letter that came with the card says how long the PIN is.
error-number = Please enter a number from the list.
error-yes-no = Please answer yes or no.

## Changing and unblocking it

pin-name = PIN
pin-of = { $pin } of the card or token: { $label }
pin-of-reader = { $pin } of the card or token: { $label } ({ $reader })
pin-within = The request of this site waits, and goes on afterwards.
pin-offer-unblock = This PIN is locked: it was entered wrongly too often. With the { $code } from the letter that came with the card you can give it a new value now. Do that?
pin-offer-change = This PIN is still the one that came with the card, and works only after it was changed. Change it now?
pin-last-try-code = One try of the { $code } is left. If you enter it wrongly, it locks, and only the issuer of the card can help. Go on?
pin-code = Enter the { $code }, the code that unblocks the PIN. It is in the letter that came with the card.
pin-old = Enter the PIN as it is now.
pin-old-first = Enter the PIN that came with the card.
pin-new = Think of a new PIN that nobody guesses: no date of birth, no 123456.
pin-repeat = Enter the new PIN once more.
pin-digits = It has { $least } to { $most } digits.
pin-digits-exactly = It has { $count } digits.
tries-code = { $count ->
        [one] { $count } try of the { $code } is left.
       *[other] { $count } tries of the { $code } are left.
    }
tries-code-unknown = How many tries of the { $code } are left, the card does not tell. Too many wrong entries lock it for good.
error-code = Wrong { $code }.
error-code-tries = { $count ->
        [one] Wrong { $code }. { $count } try is left.
       *[other] Wrong { $code }. { $count } tries are left.
    }
error-pin-differs = The two entries of the new PIN differ. Nothing was changed, and no try was spent.
error-pin-same = The new PIN is the old one. Nothing was changed, and no try was spent.
error-pin-refused = The card does not take this new PIN: it is too simple, or was used before. The PIN is what it was.
error-pin-digits = It has digits only. No try was spent.
error-no-try = No try was spent.

## Other questions

choose = Several certificates fit. Which one?
insert = No suitable card or token is there. Insert it; this window closes by itself.
insert-unserved = The card in the reader "{ $reader }" is not one that eid-agent can use. What is known of it, the command "eid-agent tokens" says.
insert-unread = The card in the reader "{ $reader }" could not be read. Take it out and insert it again, the right way round. Why it failed, the command "eid-agent tokens" says.
insert-in-use = Another program is using the card in the reader "{ $reader }". Close that program; this window closes by itself then.
insert-hung = The reader "{ $reader }" does not answer. Pull it out and plug it in again.
insert-closed = The card in the reader "{ $reader }" cannot be used here. It is { $card }. { $why }
insert-more = { $count ->
        [one] { $count } more reader has a card that cannot be used now. The command "eid-agent tokens" tells of it.
       *[other] { $count } more readers have cards that cannot be used now. The command "eid-agent tokens" tells of them.
    }
card-kind = { $id ->
        [uec] a universal electronic card (УЭК)
       *[other] a card of the kind "{ $name }"
    }
closed-terminal-missing = It takes a PIN only from a terminal with the keys of its system, and there are none in eid-agent's configuration.
closed-terminal-unfit = It takes a PIN only from a terminal with the keys of its system, and those in eid-agent's configuration do not fit it.
closed-terminal-refused = It did not take the terminal's keys in eid-agent's configuration.
closed-expired = It has expired: its last day was { $day }.
closed-out-of-order = It says that it is blocked or not in order. Only its issuer could help.
closed-unproven = It did not show that it is genuine, so no PIN is asked for.
closed-unchecked = Whether it is genuine cannot be checked, because eid-agent's configuration has no root certificate for that. So no PIN is asked for.
closed-contactless = It does not work here without contacts. Insert it into a reader with contacts.
closed-inactive = It is not activated. Whoever issued it does that.
closed-module = It works with its maker's program (a PKCS#11 module), which is not installed or does not see it.
programme-ended = The programme of these cards ended with { $year }.
pair = A browser plugin wants to use eid-agent. It calls itself "{ $client }".
pair-digits = Does the plugin show the same number?
pair-note = Agree only if you have just begun the pairing in the plugin yourself.

## Fields and buttons

prompt-pin = PIN:
prompt-pin-hidden = PIN (not shown; empty to decline):
prompt-hidden = { $field } (not shown; empty to decline):
prompt-pin-old = Present PIN
prompt-pin-new = New PIN
prompt-pin-repeat = New PIN again
prompt-code = { $code }
prompt-number = Number (1 to { $count }), empty to decline:
prompt-yes-no = Agree? (yes/no)
prompt-insert = Press Enter to cancel.
ok-confirm = Confirm
ok-sign-in = Sign in
ok-sign = Sign
ok-certificate = Hand over
ok-choose = Use this one
ok-last-try = Go on
ok-pin-change = Change it
ok-pin-unblock = Unblock it
ok-next = Go on
ok-pair = The numbers match
next-page = Next page
next-certificate = Show the next
cancel = Decline
cancel-insert = Cancel
