/* The enclosure with its parties, its log and three witnesses, of which one lies (it cosigns anything).
   What the enclosure itself does is in enclosure_table.pml, made from the code.

   The host signs whatever helps it, at any time. The inspector signs what it is asked to. Anything
   else happens at any time, in any order: an over-approximation, since what the table tells of the
   machine is state, keys and permit alone.

   Checked: TAMPERED is left by fresh approvals of both parties alone; work begins only under a
   permit that both have signed, that is in the log, and that an honest witness has seen there; each
   permit's token begins work once. */

#include "enclosure_table.pml"

#define RECOMMISSION 0
#define COMMISSION 1
#define QUORUM 2

byte st = COMMISSIONING;
byte keys = K_NONE;
byte permit = NO_PERMIT;

bool host[2], inspector[2];  /* approvals signed for the challenge of now */
bool permit_host, permit_inspector, permit_shown, in_log, begun;
bool cosigned[2];            /* by the honest witnesses */

bool latched;                /* TAMPERED since the last commissioning */
bool given_up;               /* both have begun commissioning since */
bool seen;                   /* the inspector has signed for that since */

#define AT(s, k, p) (st == s && keys == k && permit == p)
#define BOTH(a) (host[a] && inspector[a])
#define BAD ((latched && (st == ARMED || st == MAINTENANCE)) \
  || ((permit == IN_USE || st == MAINTENANCE) \
      && !(permit_host && permit_inspector && in_log && cosigned[0] + cosigned[1] > 0)) \
  || (st == MAINTENANCE && permit != IN_USE) \
  || ((st == ARMED || st == MAINTENANCE) && keys != K_LIVE) \
  || (st == RETIRED && keys != K_GONE && keys != K_NONE))

inline void_approvals() {
  host[0] = 0; host[1] = 0; inspector[0] = 0; inspector[1] = 0
}

byte to_st, to_keys, to_permit, by;
#define TO(s, k, p, b) to_st = s; to_keys = k; to_permit = p; by = b

#define CAN_free true
#define CAN_presented (permit_host && permit_inspector && !permit_shown)
#define CAN_logged in_log
#define CAN_witnessed (cosigned[0] + cosigned[1] + 1 >= QUORUM)   /* the liar has signed long ago */
#define CAN_token true
#define CAN_commission BOTH(COMMISSION)
#define CAN_recommission BOTH(RECOMMISSION)

#define BY_free 0
#define BY_presented 1
#define BY_logged 2
#define BY_witnessed 3
#define BY_token 4
#define BY_commission 5
#define BY_recommission 6

inline go() {
  if
  :: to_st == TAMPERED && st != TAMPERED -> latched = 1; given_up = 0; seen = 0; void_approvals()
  :: by == BY_presented -> permit_shown = 1
  :: by == BY_commission -> void_approvals(); latched = latched && !given_up
  :: by == BY_recommission -> assert(!latched || seen); void_approvals(); given_up = 1
  :: else
  fi;
  if
  :: to_permit == IN_USE && permit != IN_USE -> assert(!begun); begun = 1
  :: else
  fi;
  st = to_st; keys = to_keys; permit = to_permit
}

active proctype Enclosure() {
  do
  :: atomic { if WAYS fi; go() }
  :: BAD -> assert(false)
  od
}

active proctype Host() {
  do
  :: host[RECOMMISSION] = 1
  :: host[COMMISSION] = 1
  :: permit_host = 1
  :: atomic { permit_shown && !in_log -> in_log = 1 }
  :: atomic { permit_shown && permit == NO_PERMIT ->       /* a new permit */
       permit_host = 0; permit_inspector = 0; permit_shown = 0; in_log = 0; begun = 0;
       cosigned[0] = 0; cosigned[1] = 0 }
  od
}

active proctype Inspector() {
  do
  :: atomic { inspector[RECOMMISSION] = 1; seen = 1 }
  :: inspector[COMMISSION] = 1
  :: permit_inspector = 1
  od
}

active proctype Witnesses() {
  do
  :: atomic { in_log -> cosigned[0] = 1 }
  :: atomic { in_log -> cosigned[1] = 1 }
  od
}
