/* The witness protocol: requests at once, a log that forks, power cuts.

   A log has two branches that part after size FORK. Handlers serve requests with any old size, new
   size and branch; a proof holds unless it would lead from beyond the fork to the other branch.
   `seen_*` is what the witness reads (memory, page cache), `kept_*` what a power cut leaves.

   Never may the witness have cosigned beyond the fork on both branches, nor have told a client of
   a size that a cut can make it forget.

   Planted faults (see tests/unit/translog/test_model.py): -DRACE compares under the lock and stores after it was given free;
   -DREPLY_FIRST tells the client before the state is durable; -DNO_OLD does not compare the old
   size with the one it has. */

#define MOST 2
#define FORK 1
#define HANDLERS 3

byte seen_size, seen_branch, kept_size, kept_branch;
bool locked;
byte epoch;                 /* counts power cuts: who began before one is gone after it */
byte told[2];               /* largest size cosigned to a client, by branch */

#define ALIVE (my_epoch == epoch)

inline tell() {
  told[branch] = (new > told[branch] -> new : told[branch]);
  assert(told[0] <= FORK || told[1] <= FORK);      /* no split view */
}

proctype Handler() {
  byte old, new, branch, my_epoch;

  atomic {
    select(old : 0 .. MOST);
    select(new : 1 .. MOST);
    if
    :: new > FORK -> select(branch : 0 .. 1)
    :: else                                   /* both branches are one up to the fork */
    fi;
    my_epoch = epoch
  }
  atomic { !locked -> locked = true }
  if
  :: atomic { !ALIVE -> goto gone }
  :: atomic { else ->
#ifndef NO_OLD
       if
       :: old != seen_size -> locked = false; goto done          /* 409 */
       :: else
       fi;
#endif
       if
       :: new < old -> locked = false; goto done                 /* 400 */
       :: new >= old && old > FORK && branch != seen_branch ->
            locked = false; goto done                            /* 422, or 409 at equal sizes */
       :: else
       fi }
  fi;
#ifdef RACE
  locked = false;
  atomic { !locked -> locked = true }
#endif
#ifdef REPLY_FIRST
  atomic { ALIVE -> tell() }
#endif
  if
  :: atomic { !ALIVE -> goto gone }
  :: atomic { else -> seen_size = new; seen_branch = branch }    /* write, rename */
  fi;
  if
  :: atomic { !ALIVE -> goto gone }
  :: atomic { else -> kept_size = seen_size; kept_branch = seen_branch }   /* sync */
  fi;
#ifndef REPLY_FIRST
  if
  :: atomic { !ALIVE -> goto gone }
  :: atomic { else -> tell(); assert(kept_size >= new) }         /* durable before the reply */
  fi;
#endif
  atomic { if :: ALIVE -> locked = false :: else fi }
  goto done;
gone:
  skip;
done:
  skip
}

proctype Power() {
  do
  :: atomic { epoch < 1 ->
       epoch++;
       locked = false;
       if                                   /* a write that was not synced may survive */
       :: kept_size = seen_size; kept_branch = seen_branch
       :: seen_size = kept_size; seen_branch = kept_branch
       fi }
  :: break
  od
}

init {
  byte count;
  atomic {
    for (count : 1 .. HANDLERS) { run Handler() }
    run Power()
  }
}
