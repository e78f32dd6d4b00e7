// Compiled once for each CASE. Case 0 is the control: it must compile. The others make or copy an
// Admitted outside the evaluator and must not.
#include <type_traits>
#include <utility>

#include "policy/admitted.h"

namespace dockreeve::policy {

#if CASE == 0
Admitted moved(Admitted admitted) { return admitted; }
#elif CASE == 1
Admitted defaulted() { return Admitted(); }
#elif CASE == 2
Admitted built() { return Admitted(WireRequest{}); }
#elif CASE == 3
Admitted converted() { return {WireRequest{}}; }
#elif CASE == 4
Admitted copied(const Admitted& admitted) { return admitted; }
#elif CASE == 5
void assigned(Admitted& to, const Admitted& from) { to = from; }
#elif CASE == 6
void changed(Admitted& admitted) { admitted.wire().body = "{}"; }
#endif

}  // namespace dockreeve::policy
