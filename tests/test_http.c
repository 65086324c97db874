/* test_http.c: requests and answers over real sockets. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/http_client.h"

#include "tests/http_client.c" /* Each test program is one file and the library. */

#define HOST "Host: 127.0.0.1\r\n"

START_TEST(renders_by_post)
{
    struct server server;
    struct response response;
    char body[256], value[512];
    server_defaults(&server);
    server_start(&server);
    client_request(&server,
                   "POST /render HTTP/1.1\r\n" HOST "Content-Length: 27\r\n\r\n"
                   "{\"url\":\"http://h.test/a?b\"}",
                   &response, body, sizeof(body));
    ck_assert_int_eq(response.status, 200);
    ck_assert_str_eq(body, "http://h.test/a?b");
    ck_assert_str_eq(response_header(&response, "Content-Type", value), "text/html; charset=utf-8");
    ck_assert_uint_eq(strlen(response_header(&response, "X-Request-Id", value)), 36);
    server_stop(&server);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http");
    TCase *tests = tcase_create("exchange");
    tcase_add_test(tests, renders_by_post);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
