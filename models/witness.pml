/* A log that forks, and witnesses that compare and set. A checkpoint is one of two branches; before
   it all witnesses hold what the branches have in common (0). Requests race, and a witness may die
   between any two steps; what it has stored stays. One witness of four cosigns anything.

   Checked: an honest witness never cosigns both branches, and so no two branches have a quorum. */

#define HONEST 3
#define QUORUM 3

byte stored[HONEST];         /* durable */
bool lock[HONEST];
bool one[HONEST], two[HONEST];   /* cosigned */

#define ONE (one[0] + one[1] + one[2] + 1)
#define TWO (two[0] + two[1] + two[2] + 1)

proctype Request(byte w; byte branch) {
again:
  atomic { !lock[w] -> lock[w] = 1 };
  if                                                 /* compare */
  :: stored[w] != 0 && stored[w] != branch -> goto done
  :: else
  fi;
  if                                                 /* set: durable before the reply */
  :: lock[w] = 0; goto again                         /* it dies and is started again */
  :: stored[w] = branch
  fi;
  if
  :: lock[w] = 0; goto again
  :: branch == 1 -> one[w] = 1
  :: branch == 2 -> two[w] = 1
  fi;
done:
  lock[w] = 0
}

init {
  atomic {
    run Request(0, 1); run Request(0, 2);
    run Request(1, 1); run Request(1, 2);
    run Request(2, 1); run Request(2, 2)
  }
}

active proctype Monitor() {
end: do
  :: atomic { (one[0] && two[0]) || (one[1] && two[1]) || (one[2] && two[2]) -> assert(false) }
  :: atomic { ONE >= QUORUM && TWO >= QUORUM -> assert(false) }
  od
}
