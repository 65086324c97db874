/* suite.c: see suite.h. */
#include "tests/suite.h"

#include <stdlib.h>

int suite_run(Suite *suite, enum suite_process process)
{
    SRunner *runner = srunner_create(suite);
    if (process == SUITE_IS_ONE && getenv("CK_FORK") == NULL)
        srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
