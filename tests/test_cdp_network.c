/* test_cdp_network.c: path mode in a real browser: the answer of the origin is reported, its
 * redirects are not followed, and the page serves other renders afterwards as before. */
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include "tests/cdp_stage.h"
#include "tests/system/process.h"

static const char *header_of(const struct answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->result->headers_count; i++) {
        if (strcasecmp(answer->result->headers[i].name, name) == 0)
            return answer->result->headers[i].value;
    }
    return NULL;
}

START_TEST(marks_and_headers)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/marks", .path_mode = true);

    check_complete(&answer);
    ck_shows(answer, "mark: 1");
    ck_shows(answer, "Prerender");
    ck_assert_int_eq(answer.result->origin_status, 404);
    ck_assert_str_eq(header_of(&answer, "X-Origin"), "a, b");
    done(&answer);
    answer = RENDER(page, .path = "/marks");
    check_complete(&answer);
    ck_shows(answer, "mark: none");
    ck_assert(!shows(&answer, "Prerender"));
    ck_assert_int_eq(answer.result->origin_status, 0);
    ck_assert_uint_eq(answer.result->headers_count, 0);
    done(&answer);
    close_page(page);
}
END_TEST

START_TEST(redirects_are_reported)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/to?/static", .path_mode = true);

    check_complete(&answer);
    ck_assert_int_eq(answer.result->origin_status, 302);
    ck_assert_str_eq(header_of(&answer, "Location"), "/static");
    ck_assert(answer.ok);
    done(&answer);
    answer = RENDER(page, .path = "/loop", .path_mode = true);
    ck_assert_int_eq(answer.result->origin_status, 302);
    done(&answer);
    answer = RENDER(page, .path = "/to?/static");
    check_complete(&answer);
    ck_assert_int_eq(answer.result->status, 200);
    done(&answer);
    close_page(page);
}
END_TEST

START_TEST(viewport_is_set_and_reset)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/viewport", .path_mode = true);

    ck_shows(answer, "1440x718");
    done(&answer);
    answer = RENDER(page, .path = "/viewport");
    ck_assert(!shows(&answer, "1440x718"));
    done(&answer);
    close_page(page);
}
END_TEST

START_TEST(statuses_without_a_document)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/status?204", .path_mode = true);

    ck_assert_int_eq(answer.result->origin_status, 204);
    ck_assert_int_eq(answer.result->code, RENDER_OK);
    done(&answer);
    answer = RENDER(page, .path = "/download", .path_mode = true);
    ck_assert_int_eq(answer.result->code, RENDER_NOT_A_DOCUMENT);
    done(&answer);
    check_canary();
    close_page(page);
}
END_TEST

/* Of this test alone, for 127.0.0.1 and by nobody: no browser trusts it. */
static const char certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBjTCCATSgAwIBAgIUbK64YRsWIfFBkmKwhRi/WL4TqKgwCgYIKoZIzj0EAwIw\n"
    "FDESMBAGA1UEAwwJMTI3LjAuMC4xMB4XDTI2MTEyNjIzMDQyOFoXDTQ2MTEyMTIz\n"
    "MDQyOFowFDESMBAGA1UEAwwJMTI3LjAuMC4xMFkwEwYHKoZIzj0CAQYIKoZIzj0D\n"
    "AQcDQgAExThwwktPg1L+9+TE0PK6PtLp/wt/agJOtUkQfgPBLOL9JREdYuxWozh3\n"
    "7Kgfu74UKblckgQQR0FCIk2LNVoRG6NkMGIwHQYDVR0OBBYEFJ7X4PdCZYhE5hHA\n"
    "hQUnM9444sozMB8GA1UdIwQYMBaAFJ7X4PdCZYhE5hHAhQUnM9444sozMA8GA1Ud\n"
    "EwEB/wQFMAMBAf8wDwYDVR0RBAgwBocEfwAAATAKBggqhkjOPQQDAgNHADBEAiAF\n"
    "oyyQ6tWfNlCaB1qPF9taWMZWvJjxKYSdgKl7u7P8IgIgXwBh7bQa3fFGEGPeEsJn\n"
    "PtVCHrZoapZeL4PyzgFPePs=\n"
    "-----END CERTIFICATE-----\n";
static const char key[] = "-----BEGIN PRIVATE KEY-----\n"
                          "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg5+Nz1R27G5wRjpWi\n"
                          "LIX8SHSQ30xn0VLmVUoiiIyA9wehRANCAATFOHDCS0+DUv735MTQ8ro+0un/C39q\n"
                          "Ak61SRB+A8Es4v0lER1i7FajOHfsqB+7vhQpuVySBBBHQUIiTYs1WhEb\n"
                          "-----END PRIVATE KEY-----\n";

static enum MHD_Result on_tls(void *owner, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_bytes, void **request)
{
    (void)owner;
    (void)url;
    (void)method;
    (void)version;
    (void)upload;
    (void)upload_bytes;
    (void)request;
    static char text[] = "secret";
    struct MHD_Response *response =
        MHD_create_response_from_buffer(sizeof text - 1, text, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

/* The page is none the worse for it, nor for an origin that is not there any more. */
START_TEST(untrusted_and_refused)
{
    uint64_t page = open_page();
    char url[64];
    struct MHD_Daemon *tls = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_TLS, 0, NULL, NULL, on_tls, NULL,
        MHD_OPTION_HTTPS_MEM_CERT, certificate, MHD_OPTION_HTTPS_MEM_KEY, key, MHD_OPTION_END);

    ck_assert_ptr_nonnull(tls);
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u/",
                   MHD_get_daemon_info(tls, MHD_DAEMON_INFO_BIND_PORT)->port);
    struct answer answer = RENDER(page, .path = url);
    check_failed(&answer, RENDER_NAVIGATION_FAILED);
    ck_assert_str_eq(answer.result->net_error, "net::ERR_CERT_AUTHORITY_INVALID");
    ck_assert(answer.ok);
    done(&answer);
    MHD_stop_daemon(tls);
    answer = RENDER(page, .path = url);
    check_failed(&answer, RENDER_NAVIGATION_FAILED);
    ck_assert_str_eq(answer.result->net_error, "net::ERR_CONNECTION_REFUSED");
    ck_assert(answer.ok);
    done(&answer);
    answer = RENDER(page, .path = "/static");
    check_complete(&answer);
    done(&answer);
    close_page(page);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cdp_network");
    TCase *tcase = stage_tcase("browser");

    tcase_add_test(tcase, marks_and_headers);
    tcase_add_test(tcase, redirects_are_reported);
    tcase_add_test(tcase, viewport_is_set_and_reset);
    tcase_add_test(tcase, statuses_without_a_document);
    tcase_add_test(tcase, untrusted_and_refused);
    suite_add_tcase(suite, tcase);
    return stage_main(suite);
}
