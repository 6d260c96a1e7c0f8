/* Zeroise against signatures under way. The controller tells the key holder by a line of its own,
   at which the holder looks first; replies that nobody takes are dropped.

   Checked: once the controller has heard that the keys are gone, no evidence key signs; the last word
   is signed once, and after that; the controller hears it however many signatures are asked for. */

#define QUEUE 2

chan requests = [QUEUE] of { bit };
chan replies = [QUEUE] of { bit };
bool key = 1, word = 1;      /* in the holder */
bool asked, gone, said;      /* of the controller */
byte words;

#define TOLD (asked && !gone)

inline reply(signature) {
  if
  :: nfull(replies) -> replies ! signature
  :: full(replies)
  fi
}

active proctype Holder() {
  do
  :: atomic { TOLD -> key = 0; gone = 1 }
  :: atomic { !TOLD && nempty(requests) -> requests ? _;
       if
       :: key -> assert(!gone); reply(1)
       :: else -> reply(0)
       fi }
  :: atomic { said && word -> word = 0; words++; assert(gone && words == 1) }
  od
}

active proctype Signer() {
  do
  :: requests ! 0
  :: replies ? _
  od
}

active proctype Controller() {
  asked = 1;
  gone;
  assert(!key);
  said = 1
}

ltl heard { always (asked implies (eventually gone)) }
