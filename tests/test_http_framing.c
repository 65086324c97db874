/* test_http_framing.c: where requests begin and end: keep-alive, pipelining, packets, chunks,
 * limits, and bytes that make no sense. */
#include <check.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/http_client.h"
#include "tests/suite.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define ID "X-Request-Id: test-7\r\n"

static struct server server;

static void setup(void)
{
    server_defaults(&server);
}

static void teardown(void)
{
    server_stop(&server);
}

START_TEST(keep_alive_and_pipelining)
{
    struct client client;
    struct response response;
    server_start(&server);
    client_open(&server, &client);
    for (int i = 0; i < 20; i++) {
        char *text = client_post("", i % 2 == 0 ? "{\"url\":\"http://h.test/\"}" : "{\"urk\":1}");
        ck_assert(client_send(&client, text));
        client_receive(&client, false, &response);
        ck_assert_int_eq(response.status, i % 2 == 0 ? 200 : 400);
        free(response.body);
        free(text);
    }
    char many[8192] = "";
    for (int i = 0; i < 30; i++)
        snprintf(many + strlen(many), sizeof(many) - strlen(many),
                 "GET /render?url=http://h.test/%d HTTP/1.1\r\n" HOST "\r\n", i);
    ck_assert(client_send(&client, many));
    for (int i = 0; i < 30; i++) {
        char want[64];
        snprintf(want, sizeof(want), "http://h.test/%d", i);
        client_receive(&client, false, &response);
        ck_assert_str_eq(response.body, want);
        free(response.body);
    }
    ck_assert_uint_eq(http_open_count(server.http), 1);
    client_close(&client);
    WAIT_UNTIL(&server, http_open_count(server.http) == 0);
}
END_TEST

/* The outcome does not depend on how the bytes are cut into packets. */
START_TEST(requests_may_arrive_byte_by_byte)
{
    char *text = client_post(ID, "{\"url\":\"http://h.test/\"}");
    size_t length = strlen(text);
    server_start(&server);
    struct client client;
    struct response response;
    client_open(&server, &client);
    for (size_t cut = 1; cut < length; cut += 3) {
        ck_assert(client_send_bytes(&client, text, cut));
        for (int i = 0; i < 3; i++)
            server_turn(&server, 0);
        ck_assert(client_send_bytes(&client, text + cut, length - cut));
        client_receive(&client, false, &response);
        ck_assert_int_eq(response.status, 200);
        ck_assert_str_eq(response.body, "http://h.test/");
        free(response.body);
    }
    client_close(&client);
    free(text);
}
END_TEST

/* What follows the head of a request that was refused early cannot be told from a body. */
START_TEST(early_refusal_closes)
{
    static const char *const heads[] = {
        "POST /render HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2000000\r\n",
        "POST /render HTTP/1.1\r\nContent-Length: 2000000\r\n",
        "POST /render HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        "GET /render HTTP/1.1\r\nContent-Length: 2000000\r\n",
        "DELETE /nothing HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n",
    };
    char text[512], value[512];
    server_start(&server);
    for (size_t i = 0; i < COUNT(heads); i++) {
        struct client client;
        struct response response;
        client_open(&server, &client);
        snprintf(text, sizeof(text), "%s" HOST "\r\n", heads[i]);
        ck_assert(client_send(&client, text));
        (void)client_send(&client, "GET /healthz HTTP/1.1\r\n" HOST "\r\n");
        client_receive(&client, false, &response);
        ck_assert_int_ge(response.status, 400);
        ck_assert_str_eq(response_header(&response, "Connection", value), "close");
        free(response.body);
        ck_assert(client_is_closed(&client));
        client_close(&client);
    }
    ck_assert_uint_eq(server_count(&server, HTTP_REQUEST), 0);
}
END_TEST

/* A client that sends all of it before it reads gets its answer, and at once. */
START_TEST(large_body_is_answered)
{
    static char spaces[65536];
    struct client client;
    struct response response;
    memset(spaces, ' ', sizeof(spaces));
    server_start(&server);
    for (int patient = 0; patient < 2; patient++) {
        client_open(&server, &client);
        ck_assert(client_send(&client, "POST /prerender-visit HTTP/1.1\r\n" HOST
                                       "Content-Length: 10485760\r\n\r\n"));
        for (size_t sent = 0; patient == 1 && sent < 10485760; sent += sizeof(spaces))
            ck_assert(client_send_bytes(&client, spaces, sizeof(spaces)));
        client_receive(&client, false, &response);
        ck_assert_int_eq(response.status, 413);
        ck_assert_ptr_nonnull(strstr(response.body, "http.body_bytes_max"));
        free(response.body);
        ck_assert(client_is_closed(&client));
        client_close(&client);
        WAIT_UNTIL(&server, server_count(&server, HTTP_FINISHED) == (size_t)patient + 1);
        ck_assert_int_eq(server_last(&server, HTTP_FINISHED)->finished.status, 413);
    }
    ck_assert_uint_eq(server_count(&server, HTTP_REQUEST), 0);
}
END_TEST

START_TEST(chunked_bodies)
{
    struct response response;
    char body[512];
    server_start(&server);
    client_request(&server,
                   "POST /render HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                   "8\r\n{\"url\":\"\r\nD\r\nhttp://h.test\r\n2\r\n\"}\r\n0\r\n\r\n",
                   &response, body, sizeof(body));
    ck_assert_int_eq(response.status, 200);
    ck_assert_str_eq(body, "http://h.test");
}
END_TEST

/* Sends `bytes` of spaces in chunks; false when the server closed meanwhile. */
static bool send_chunks(struct client *client, size_t bytes)
{
    static char chunk[65536 + 16];
    int head = snprintf(chunk, sizeof(chunk), "10000\r\n");
    memset(chunk + head, ' ', 65536);
    memcpy(chunk + head + 65536, "\r\n", 2);
    for (size_t sent = 0; sent < bytes; sent += 65536) {
        if (!client_send_bytes(client, chunk, (size_t)head + 65536 + 2))
            return false;
    }
    return true;
}

START_TEST(chunked_body_over_the_limit)
{
    struct client client;
    struct response response;
    server_start(&server);
    client_open(&server, &client);
    ck_assert(client_send(&client,
                          "POST /render HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"));
    ck_assert(send_chunks(&client, 2 << 20));
    ck_assert(client_send(&client, "0\r\n\r\n"));
    client_receive(&client, false, &response);
    ck_assert_int_eq(response.status, 413);
    ck_assert_ptr_nonnull(strstr(response.body, "body_too_large"));
    free(response.body);
    /* The limit holds for a body that is ignored, too. */
    ck_assert(client_send(&client,
                          "GET /healthz HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"));
    ck_assert(send_chunks(&client, 2 << 20));
    ck_assert(client_send(&client, "0\r\n\r\n"));
    client_receive(&client, false, &response);
    ck_assert_int_eq(response.status, 413);
    free(response.body);
    /* Its end was found, so the connection serves on. */
    ck_assert(client_send(&client, "GET /healthz HTTP/1.1\r\n" HOST "\r\n"));
    client_receive(&client, false, &response);
    ck_assert_int_eq(response.status, 200);
    free(response.body);
    client_close(&client);
}
END_TEST

START_TEST(endless_body_is_cut_off)
{
    struct client client;
    server_start(&server);
    client_open(&server, &client);
    ck_assert(client_send(&client,
                          "POST /render HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"));
    ck_assert(!send_chunks(&client, 64 << 20));
    WAIT_UNTIL(&server, server_count(&server, HTTP_FINISHED) == 1);
    ck_assert_int_eq(server_last(&server, HTTP_FINISHED)->finished.status, 413);
    ck_assert_str_eq(server_last(&server, HTTP_FINISHED)->finished.code, "body_too_large");
    client_close(&client);
}
END_TEST

START_TEST(long_heads)
{
    struct response response;
    char *text = malloc(200000), body[512];
    server_start(&server);
    /* A target of 28 KiB: ours. */
    int used = snprintf(text, 100, "GET /");
    memset(text + used, 'a', 28 * 1024);
    used += 28 * 1024;
    snprintf(text + used, 100, " HTTP/1.1\r\n" HOST ID "\r\n");
    client_request(&server, text, &response, body, sizeof(body));
    ck_assert_int_eq(response.status, 414);
    ck_assert_ptr_nonnull(strstr(body, "url_too_long"));
    /* The longest URL, percent-encoded threefold, still fits. */
    used = snprintf(text, 100, "GET /render?url=http://h.test/");
    for (int i = 0; i < 8192 - 14; i++, used += 3)
        memcpy(text + used, "%41", 3);
    snprintf(text + used, 100, " HTTP/1.1\r\n" HOST "\r\n");
    client_request(&server, text, &response, NULL, 0);
    ck_assert_int_eq(response.status, 200);
    /* A head of 40 KiB: ours. */
    used = snprintf(text, 100, "GET / HTTP/1.1\r\n" HOST ID "X-Long: ");
    memset(text + used, 'a', 40 * 1024);
    snprintf(text + used + 40 * 1024, 100, "\r\n\r\n");
    client_request(&server, text, &response, body, sizeof(body));
    ck_assert_int_eq(response.status, 431);
    ck_assert_ptr_nonnull(strstr(body, "headers_too_large"));
    /* One of 150 KiB: MHD's own page, which the reset of a connection that still sends may
     * cut off. */
    struct client client;
    used = snprintf(text, 100, "GET / HTTP/1.1\r\n" HOST "X-Long: ");
    memset(text + used, 'a', 150 * 1024);
    client_open(&server, &client);
    (void)client_send_bytes(&client, text, (size_t)used + 150 * 1024);
    (void)client_is_closed(&client);
    ck_assert(client.eof);
    ck_assert(client.bytes == 0 || strncmp(client.data, "HTTP/1.1 431", 12) == 0);
    client_close(&client);
    client_request(&server, "GET /healthz HTTP/1.1\r\n" HOST "\r\n", &response, NULL, 0);
    ck_assert_int_eq(response.status, 200);
    free(text);
}
END_TEST

/* What MHD cannot read it refuses by itself, in its own words, and closes. */
START_TEST(unreadable_requests)
{
    static const struct {
        const char *request;
        int status; /* 0: closed without a word. */
        bool known; /* Its request line was read, so there is an exchange. */
    } cases[] = {
        {"NONSENSE\r\n\r\n", 0, false},
        {"GET / HTTP/2.0\r\n" HOST "\r\n", 505, false},
        {"GET /\r\n\r\n", 400, false},
        {"GET / HTTP/1.1\r\n" HOST "no colon\r\n\r\n", 400, true},
        {"POST /render HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", 400, true},
        {"POST /render HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n", 413,
         true},
        {"POST /render HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400, true},
        {"POST /render HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n2\r\n{}XX", 400, true},
    };
    server_start(&server);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct client client;
        struct response response = {.status = 0};
        size_t before = server_count(&server, HTTP_FINISHED);
        client_open(&server, &client);
        ck_assert(client_send(&client, cases[i].request));
        if (cases[i].status > 0) {
            client_receive(&client, true, &response);
            free(response.body);
        }
        ck_assert_int_eq(response.status, cases[i].status);
        (void)client_is_closed(&client);
        ck_assert(client.eof);
        client_close(&client);
        WAIT_UNTIL(&server, http_open_count(server.http) == 0);
        ck_assert_uint_eq(server_count(&server, HTTP_FINISHED), before + (cases[i].known ? 1 : 0));
        if (cases[i].known)
            ck_assert_int_eq(server_last(&server, HTTP_FINISHED)->finished.status, 400);
    }
    ck_assert_uint_eq(server_count(&server, HTTP_REQUEST), 0);
}
END_TEST

/* A body that nobody asked for is not taken for the next request. */
START_TEST(bodies_are_not_requests)
{
    struct client client;
    struct response response;
    server_start(&server);
    client_open(&server, &client);
    for (int i = 0; i < 3; i++) {
        ck_assert(client_send(&client, "GET /healthz HTTP/1.1\r\n" HOST "Content-Length: 42\r\n\r\n"
                                       "GET /version HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"));
        client_receive(&client, false, &response);
        ck_assert_int_eq(response.status, 200);
        free(response.body);
    }
    WAIT_UNTIL(&server, server_count(&server, HTTP_FINISHED) == 3);
    ck_assert_uint_eq(server_count(&server, HTTP_REQUEST), 3);
    ck_assert_int_eq(server_last(&server, HTTP_REQUEST)->request.route, HTTP_HEALTHZ);
    client_close(&client);
}
END_TEST

/* The same noise in every run, from a linear congruential generator. */
static uint32_t noise(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 16;
}

/* Whatever bytes come, the server serves on, and every exchange that began is finished. */
START_TEST(noise_is_survived)
{
    static const char *const seeds[] = {
        "GET /render?url=http%3A%2F%2Fh.test%2F&wait.until=load HTTP/1.1\r\n" HOST
        "Accept: text/html;q=0.5, */*\r\nX-Request-Id: a\r\n\r\n",
        "POST /render HTTP/1.1\r\n" HOST "Content-Length: 23\r\n\r\n{\"url\":\"http://h.test\"}",
        "POST /render HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "DELETE /affinities/a%20b?wait=true HTTP/1.1\r\n" HOST "Authorization: Basic OmEx\r\n\r\n",
    };
    uint32_t state = 1;
    struct response response;
    server_start(&server);
    for (int round = 0; round < 400; round++) {
        struct client client;
        char bytes[512];
        size_t count = strlen(seeds[round % 4]);
        memcpy(bytes, seeds[round % 4], count);
        for (uint32_t change = noise(&state) % 4; change > 0; change--)
            bytes[noise(&state) % count] = (char)(noise(&state) & 0xff);
        client_open(&server, &client);
        (void)client_send_bytes(&client, bytes, count - noise(&state) % 3);
        for (int i = 0; i < 3; i++)
            server_turn(&server, 0);
        client_close(&client);
    }
    WAIT_UNTIL(&server, http_open_count(server.http) == 0);
    ck_assert_uint_ge(server_count(&server, HTTP_FINISHED), 300);
    ck_assert_uint_ge(server_count(&server, HTTP_REQUEST), 20);
    client_request(&server, "GET /healthz HTTP/1.1\r\n" HOST "\r\n", &response, NULL, 0);
    ck_assert_int_eq(response.status, 200);
}
END_TEST

START_TEST(expect_continue)
{
    struct client client;
    struct response response;
    server_start(&server);
    client_open(&server, &client);
    ck_assert(client_send(&client, "POST /render HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
                                   "Content-Length: 24\r\n\r\n"));
    client_receive(&client, true, &response);
    ck_assert_int_eq(response.status, 100);
    free(response.body);
    ck_assert(client_send(&client, "{\"url\":\"http://h.test/\"}"));
    client_receive(&client, false, &response);
    ck_assert_int_eq(response.status, 200);
    free(response.body);
    client_close(&client);
}
END_TEST

static size_t count_bytes(char *bytes, size_t size, size_t count, void *context)
{
    size_t *total = context;
    (void)bytes;
    *total += size * count;
    return size * count;
}

/* libcurl, as a client that nobody here wrote: two requests on one connection. */
START_TEST(libcurl_reuses_its_connection)
{
    char url[128];
    size_t received = 0;
    long connects = 0, status = 0;
    server.body_bytes = 3000000;
    server_start(&server);
    snprintf(url, sizeof(url), "%s/render", http_address(server.http, 0));
    CURLM *multi = curl_multi_init();
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "{\"url\":\"http://h.test/\"}");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, count_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &received);
    for (int i = 0; i < 2; i++) {
        int running = 1;
        curl_multi_add_handle(multi, easy);
        WAIT_UNTIL(&server, curl_multi_perform(multi, &running) == CURLM_OK && running == 0);
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
        ck_assert_int_eq(status, 200);
        ck_assert_int_eq(connects, i == 0 ? 1 : 0);
        curl_multi_remove_handle(multi, easy);
    }
    ck_assert_uint_eq(received, 6000000);
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http framing");
    TCase *tests = tcase_create("framing");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, keep_alive_and_pipelining);
    tcase_add_test(tests, requests_may_arrive_byte_by_byte);
    tcase_add_test(tests, early_refusal_closes);
    tcase_add_test(tests, large_body_is_answered);
    tcase_add_test(tests, chunked_bodies);
    tcase_add_test(tests, chunked_body_over_the_limit);
    tcase_add_test(tests, endless_body_is_cut_off);
    tcase_add_test(tests, long_heads);
    tcase_add_test(tests, unreadable_requests);
    tcase_add_test(tests, bodies_are_not_requests);
    tcase_add_test(tests, noise_is_survived);
    tcase_add_test(tests, expect_continue);
    tcase_add_test(tests, libcurl_reuses_its_connection);
    suite_add_tcase(suite, tests);
    return suite_run(suite, SUITE_FORKS);
}
