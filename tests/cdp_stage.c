/* cdp_stage.c: see cdp_stage.h. */
#include "tests/cdp_stage.h"
#include "tests/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCRIPT(text) "<!DOCTYPE html><title>T</title><p id=x>0</p><script>" text "</script>"

static const struct cdp_origin_page origin_pages[] = {
    {"/static", "text/html", "<!DOCTYPE html><title>Static</title><p>hello</p>"},
    {"/api", "text/plain", "fetched"},
    {"/painted", "text/html",
     "<!DOCTYPE html><title>P</title><style>body,p{margin:0}body{height:2000px;background:#00a000}"
     "#box{position:absolute;left:10px;top:1500px;width:50px;height:30px;background:#f00}"
     "</style><p style=display:none>hidden</p><p>seen</p><a href='/a?b=1#c'>one\n  link</a>"
     "<svg><a href=/drawn><text>two</text></a></svg><div id=box></div>"
     "<form><input name=innerText value=forged></form>"
     "<script>Array.prototype.toJSON=()=>'forged';document.body.appendChild("
     "document.createTextNode('made'));window.app={n:41}</script>"},
    {"/framed", "text/html", "<!DOCTYPE html><title>F</title><iframe src=/static></iframe>"},
    {"/leaves", "text/html",
     "<!DOCTYPE html><title>L</title><body style='background:#00a000'>green<script>"
     "setTimeout(()=>{location.href='/static'},+location.search.slice(1))</script>"},
    {"/bare", "text/html",
     "<!DOCTYPE html><title>B</title><meta name=Description content=d>"
     "<meta property=og:title content='o&amp;p'><meta name=description "
     "content=later><style>@page{size:4in 3in}</style>"
     "<body style='margin:0'><h2 style='margin:0'>head</h2>"},
    {"/flag", "text/html",
     SCRIPT("prerenderReady=false;setTimeout(()=>{prerenderReady=true;x.textContent='flagged';"
            "setTimeout(()=>x.textContent='graced',2500)},9000)")},
    {"/flag-never", "text/html", SCRIPT("prerenderReady=false;done=0")},
    {"/flag-text", "text/html", SCRIPT("prerenderReady='false'")},
    {"/sees", "text/html",
     SCRIPT("const m=q=>matchMedia(q).matches?1:0;x.textContent=[innerWidth,innerHeight,"
            "navigator.maxTouchPoints>0?1:0,m('print'),m('(prefers-color-scheme:dark)'),"
            "m('(prefers-reduced-motion:reduce)'),navigator.userAgent.split('/')[0]]")},
    /* At first sight, and whatever depends on where something is in the window. */
    {"/window", "text/html",
     SCRIPT(
         "const now=()=>[innerWidth,innerHeight,outerWidth,outerHeight,visualViewport.width];"
         "const first=now();x.style='position:fixed;right:0;bottom:0;margin:0';"
         "new IntersectionObserver(([e])=>{const r=e.rootBounds;x.textContent=[first+'',now()+'',"
         "r.width,r.height,e.intersectionRatio,document.elementFromPoint(innerWidth-1,"
         "innerHeight-1)===x].join(' ')}).observe(x);x.textContent='unseen'")},
    {"/place", "text/html",
     SCRIPT("x.textContent=[navigator.languages,Intl.DateTimeFormat().resolvedOptions().timeZone,"
            "new Date(0).getHours(),(1.5).toLocaleString()].join(' ')")},
    {"/agent", "text/html",
     SCRIPT("const d=navigator.userAgentData;x.textContent=[innerWidth,devicePixelRatio,"
            "navigator.maxTouchPoints>0,navigator.platform,d.platform,d.mobile,"
            "d.brands.map(b=>b.brand).join('+'),navigator.userAgent].join('|');"
            "const v=n=>d.brands.find(b=>b.brand===n)?.version;document.title="
            "v('Chromium')===navigator.userAgent.match(/Chrome\\/(\\d+)/)?.[1]?'agree':'differ';"
            "d.getHighEntropyValues(['model','platformVersion','uaFullVersion'])"
            ".then(h=>document.body.append([h.model,h.platformVersion,h.uaFullVersion.split('.')"
            ".length].join('/')))")},
    {"/strict", "text/html",
     "<!DOCTYPE html><meta http-equiv=Content-Security-Policy content=\"default-src 'none'\">"
     "<p id=x>strict"},
    {"/styled", "text/html",
     SCRIPT("Array.prototype[Symbol.iterator]=null;window.early=window.early||'none';"
            "x.textContent=early+' '+getComputedStyle(x).color+' '+typeof done")},
    {"/asks", "text/html",
     SCRIPT("fetch(location.search.slice(1)||'/api?n').then(r=>r.text(),()=>'refused').then("
            "t=>x.textContent=t)")},
    {"/goes", "text/html", SCRIPT("location=location.search.slice(1)")},
    {"/cookie-js", "text/html", SCRIPT("x.textContent=document.cookie")},
    {"/stores-twice", "text/html",
     SCRIPT("const s=localStorage;if(s.first){x.textContent=[s.first,s.v,s.getItem('__proto__')]}"
            "else{s.first=s.v;s.v='set';location.reload()}")},
    {"/worker.js", "text/javascript",
     "oninstall=()=>skipWaiting();onactivate=e=>e.waitUntil(clients.claim());"
     "onfetch=e=>{if(new URL(e.request.url).pathname==='/api')e.respondWith(new Response('from "
     "worker'))}"},
    {"/registers", "text/html",
     SCRIPT("navigator.serviceWorker.register('/worker.js').then(()=>navigator.serviceWorker.ready)"
            ".then(()=>x.textContent='ready')")},
    {"/script", "text/javascript", "came('S')"},
    {"/style", "text/css", "p{color:red}"},
    {"/picture", "image/svg+xml",
     "<svg xmlns='http://www.w3.org/2000/svg' width='1' height='1'></svg>"},
    /* One letter for each type of request that was answered, in the order of their types. */
    {"/types", "text/html",
     "<!DOCTYPE html><p id=x></p><script>const c=[];function came(t){c.push(t);"
     "x.textContent=[...'ISFYXE'].filter(t=>c.includes(t)).join('')}</script>"
     "<img src=/picture onload=came('I')><script src=/script></script>"
     "<link rel=stylesheet href=/style onload=came('Y')>"
     "<script>fetch('/api').then(()=>came('X'),()=>0);const e=new EventSource('/events');"
     "e.onmessage=()=>{came('E');e.close()};"
     "const f=document.createElement('iframe');f.src='/static';"
     "f.onload=()=>{try{if(f.contentDocument.title==='Static')came('F')}catch{}};"
     "document.body.append(f)</script>"},
    {"/rows", "text/html",
     SCRIPT("n=0;setInterval(()=>{n++;document.body.append(document.createElement('i'))},3000)")},
    {"/shows", "text/html",
     SCRIPT("x.hidden=true;setTimeout(()=>{x.hidden=false;x.textContent='shown'},7000);"
            "setTimeout(()=>x.remove(),12000)")},
    {"/tells", "text/html",
     SCRIPT("setTimeout(()=>{x.textContent='told';x.dispatchEvent(new Event('told'))},8000)")},
    {"/busy", "text/html",
     SCRIPT("n=0;t=setInterval(()=>{x.textContent=++n;if(n>90)clearInterval(t)},100)")},
    {"/chain", "text/html",
     SCRIPT("setTimeout(async()=>{const t=await(await fetch('/slow?100')).text();"
            "setTimeout(()=>{x.textContent=t+' done'},1500)},800)")},
    {"/frames", "text/html",
     SCRIPT("let n=0;function f(){x.textContent=++n;if(n<5)requestAnimationFrame(f)}"
            "requestAnimationFrame(f)")},
    {"/intersection", "text/html",
     SCRIPT("setTimeout(()=>new IntersectionObserver(()=>fetch('/api').then(r=>r.text()).then(t=>"
            "setTimeout(()=>x.textContent=t,300))).observe(x),1200)")},
    {"/idle", "text/html",
     SCRIPT("setTimeout(()=>requestIdleCallback(()=>x.textContent='idle'),900)")},
    {"/animation", "text/html",
     SCRIPT("function f(){x.textContent=+x.textContent+1;requestAnimationFrame(f)}f()")},
    {"/stream", "text/html",
     SCRIPT("new EventSource('/events').onmessage=m=>{x.textContent=m.data;"
            "setTimeout(()=>document.title='late',2000)}")},
    {"/stuck", "text/html", SCRIPT("fetch('/never');setTimeout(()=>x.textContent='on',500)")},
    {"/chained", "text/html",
     SCRIPT("(async()=>{for(let i=0;i<3;i++)await(await fetch('/slow?60')).text();"
            "x.textContent='chained';setTimeout(()=>x.textContent='later',2000)})()")},
    {"/says", "text/html",
     SCRIPT("console.log('hello',{a:1},[1,2],null);console.warn('odd \\ud800');"
            "let p=Promise.reject(Error('late'));setTimeout(()=>p.catch(()=>0),100);"
            "setTimeout(function boom(){throw new TypeError('boom')},10)")},
    {"/catches", "text/html",
     SCRIPT("let p=Promise.reject(Error('late'));setTimeout(()=>p.catch(()=>0),100)")},
    {"/chatters", "text/html", SCRIPT("for(let i=0;i<500;i++)console.log(i)")},
    {"/loads", "text/html",
     "<!DOCTYPE html><title>T</title><p>text<img src=/status?404><img src=/to?/api>"
     "<script src=/absent.js></script><script>fetch('/api').then(r=>r.text());"
     "fetch('http://127.0.0.1:1/').catch(()=>0);new EventSource('/events')</script>"},
    {"/blank", "text/html", SCRIPT("x.remove()")},
    {"/image", "text/html", "<!DOCTYPE html><p>text</p><img src=/never>"},
    {"/worker", "text/html",
     SCRIPT(
         "const w=new Worker(URL.createObjectURL(new Blob(['setTimeout(()=>postMessage(1),60)'])));"
         "w.onmessage=()=>x.textContent='worked'")},
    {"/spin", "text/html", SCRIPT("while(1){}")},
    {"/spin-timer", "text/html", SCRIPT("setInterval(()=>{while(1){}},0)")},
    {"/viewport", "text/html", SCRIPT("x.textContent=innerWidth+'x'+innerHeight")},
    {"/alerts", "text/html", SCRIPT("alert(1);confirm(2);prompt(3);x.textContent='asked'")},
    {"/alert-storm", "text/html", SCRIPT("for(let i=0;i<1000;i++)alert(i);x.textContent='end'")},
    {"/popup", "text/html", SCRIPT("window.open('/static');x.textContent='opened'")},
    {"/moves", "text/html", SCRIPT("setTimeout(()=>location='/static',700)")},
    {"/moves-now", "text/html", SCRIPT("location='/static'")},
    {"/refresh", "text/html",
     "<!DOCTYPE html><meta http-equiv=refresh content='2;url=/static'><p>wait"},
    {"/moves-ever", "text/html", SCRIPT("location='/moves-ever?'+Math.random()")},
    {"/moves-away", "text/html", SCRIPT("location='/download'")},
    {"/stops", "text/html", "<!DOCTYPE html><p>before<script>window.stop()</script>"},
    {"/surrogate", "text/html",
     SCRIPT("x.textContent='a\\ud800b\\u0000c\\ud83d\\ude00\\u00e9';document.title='"
            "t\\udc00\\u0000'")},
    {"/shadow", "text/html", SCRIPT("x.attachShadow({mode:'closed'}).innerHTML='<b>shade</b>'")},
    {"/poison", "text/html",
     SCRIPT("Object.defineProperty(Element.prototype,'outerHTML',{get(){return 'no'}});"
            "Promise.prototype.then=function(){};Array.prototype.toJSON=()=>0;"
            "document.documentElement.getHTML=()=>0;JSON.stringify=()=>0")},
    {"/counts", "text/html",
     SCRIPT("window.n=(window.n||0)+1;x.textContent='load '+n+' '+location.hash")},
    {"/clock", "text/html", SCRIPT("x.textContent='now '+Date.now()")},
    {"/stores", "text/html",
     SCRIPT("x.textContent='was '+localStorage.v;localStorage.v='set';document.cookie='js=1'")},
    {"/json", "application/json", "{\"a\":1}"},
    {"/video", "video/mp4", "not really"},
    {NULL, NULL, NULL},
};

struct stage stage;

uint64_t stage_now_ms(void)
{
    return rig_now_ms() + stage.shift_ms;
}

static void on_cdp(void *owner, const struct cdp_event *event)
{
    (void)owner;
    ck_assert_uint_lt(stage.events_count, STAGE_EVENTS_MAX);
    if (getenv("TEST_CDP_EVENTS") != NULL)
        fprintf(stderr, "event %d page %lu text %s\n", (int)event->type, (unsigned long)event->page,
                event->text);
    stage.events[stage.events_count++] = *event;
}

static void turn(void *subject, uint64_t now_ms)
{
    cdp_turn(subject, now_ms + stage.shift_ms);
}

static uint64_t deadline_ms(void *subject)
{
    uint64_t due_ms = cdp_deadline_ms(subject);

    if (due_ms == UINT64_MAX)
        return due_ms;
    return due_ms > stage.shift_ms ? due_ms - stage.shift_ms : 0;
}

struct wanted {
    enum cdp_event_type type;
    uint64_t page; /* 0: any. */
};

/* The first event of that type and page; events_count: none. */
static size_t find_event(const struct wanted *wanted)
{
    size_t i = 0;

    while (i < stage.events_count && (stage.events[i].type != wanted->type ||
                                      (wanted->page != 0 && stage.events[i].page != wanted->page)))
        i++;
    return i;
}

static bool has_come(void *argument)
{
    return find_event(argument) < stage.events_count;
}

/* Waits for such an event and takes it out. */
bool await(enum cdp_event_type type, uint64_t page, uint64_t limit_ms, struct cdp_event *ret)
{
    struct wanted wanted = {.type = type, .page = page};

    if (!rig_until(&stage.rig, has_come, &wanted, limit_ms))
        return false;
    size_t i = find_event(&wanted);
    if (ret != NULL)
        *ret = stage.events[i];
    stage.events_count--;
    memmove(&stage.events[i], &stage.events[i + 1],
            (stage.events_count - i) * sizeof stage.events[0]);
    return true;
}

bool has_event(enum cdp_event_type type)
{
    struct wanted wanted = {.type = type};

    return has_come(&wanted);
}

void drop_events(void)
{
    for (size_t i = 0; i < stage.events_count; i++)
        render_result_free(stage.events[i].result);
    stage.events_count = 0;
}

static bool never_holds(void *argument)
{
    (void)argument;
    return false;
}

/* Lets that much time pass on the loop: for what must not happen. */
void pass(uint64_t ms)
{
    (void)rig_until(&stage.rig, never_holds, NULL, ms);
}

uint64_t open_page(void)
{
    uint64_t page = ++stage.page;
    struct cdp_event event;

    cdp_open(stage.cdp, stage_now_ms(), 1, page, 1000 + page, true, stage_now_ms() + 10000);
    ck_assert(await(CDP_OPENED, page, 10000, &event));
    ck_assert_uint_eq(event.context, 1000 + page);
    return page;
}

void close_page(uint64_t page)
{
    cdp_close(stage.cdp, stage_now_ms(), page, false);
    ck_assert(await(CDP_CLOSED, page, 5000, NULL));
}

void start_render(uint64_t page, const struct ask *ask)
{
    struct stage_request *request = &stage.requests[page % STAGE_PAGES_MAX];
    uint64_t timeout_ms = ask->timeout_ms != 0 ? ask->timeout_ms : 10000;
    const char *host = ask->host != NULL ? ask->host : "127.0.0.1";

    if (ask->path[0] != '/')
        (void)snprintf(request->url, sizeof request->url, "%s", ask->path);
    else
        (void)snprintf(request->url, sizeof request->url, "http://%s:%u%s", host,
                       cdp_origin_port(stage.origin), ask->path);
    render_params_init(&request->params);
    request->params.url = request->url;
    request->params.until = ask->until;
    request->params.wait = ask->wait;
    request->params.given[param_find("wait.idleMs") - param_rows] = ask->wait.idle_ms != 0;
    request->params.fail_on = ask->fail_on;
    request->blocked[0] = (char *)(uintptr_t)ask->block_url;
    request->params.network.block_urls.items = request->blocked;
    request->params.network.block_urls.count = ask->block_url != NULL ? 1 : 0;
    if (ask->page != NULL)
        request->params.page = *ask->page;
    request->params.html = (char *)(uintptr_t)ask->html;
    if (ask->html != NULL) {
        request->params.url = NULL;
        request->params.base_url = ask->path[0] != '\0' ? request->url : NULL;
    }
    request->params.page.inject.items = (void *)(uintptr_t)ask->injects;
    request->params.page.inject.count = ask->injects_count;
    for (size_t i = 0; i < 4 && ask->given[i] != NULL; i++)
        request->params.given[param_find(ask->given[i]) - param_rows] = true;
    request->params.on_timeout = ask->on_timeout;
    request->params.path_mode = ask->path_mode;
    if (ask->tune != NULL)
        ask->tune(&request->params);
    request->id = ++stage.request;
    const struct cdp_render render = {
        .request = request->id,
        .page = page,
        .params = &request->params,
        .deadline_ms = stage_now_ms() + timeout_ms,
        .clear_storage = ask->clear_storage,
        .clear_cache = ask->clear_cache,
        .diagnose = ask->diagnose,
    };
    cdp_render(stage.cdp, stage_now_ms(), &render);
}

struct answer await_render(uint64_t page)
{
    uint64_t request = stage.requests[page % STAGE_PAGES_MAX].id;
    struct answer answer;
    struct cdp_event event;
    uint64_t started_ms = stage_now_ms();

    ck_assert(await(CDP_RESULT, page, 20000, &event));
    answer.elapsed_ms = stage_now_ms() - started_ms;
    answer.result = event.result;
    ck_assert_ptr_nonnull(answer.result);
    ck_assert_uint_eq(event.request, request);
    ck_assert(await(CDP_RENDER_DONE, page, 5000, &event));
    ck_assert_uint_eq(event.request, request);
    answer.ok = event.ok;
    return answer;
}

struct answer render(uint64_t page, const struct ask *ask)
{
    start_render(page, ask);
    return await_render(page);
}

bool shows(const struct answer *answer, const char *text)
{
    return answer->result->html != NULL &&
           memmem(answer->result->html, answer->result->html_bytes, text, strlen(text)) != NULL;
}

void check_complete(const struct answer *answer)
{
    ck_assert_int_eq(answer->result->code, RENDER_OK);
    ck_assert_int_eq(answer->result->outcome, RENDER_COMPLETE);
    ck_assert_int_eq(answer->result->reason, RENDER_SETTLED);
    ck_assert(answer->ok);
}

void check_failed(const struct answer *answer, enum render_code code)
{
    ck_assert_int_eq(answer->result->code, code);
    ck_assert_int_eq(answer->result->outcome, RENDER_FAILED);
    ck_assert_ptr_null(answer->result->html);
}

void done(struct answer *answer)
{
    render_result_free(answer->result);
    answer->result = NULL;
}

/* After every fault another page must serve as if nothing had happened. */
void check_canary(void)
{
    uint64_t page = open_page();
    struct answer answer = RENDER(page, .path = "/static");

    check_complete(&answer);
    ck_shows(answer, "<p>hello</p>");
    ck_assert_uint_lt(answer.elapsed_ms, 3000);
    done(&answer);
    close_page(page);
}

static bool is_closed(void *argument)
{
    return cdp_is_closed(argument);
}

void begin(void)
{
    static char name[] = "test_cdp";
    static char *argv[] = {name, NULL};
    char error[CONFIG_ERROR_BYTES];
    char *environment[] = {NULL};
    enum config_verb verb;

    ck_assert_msg(config_load(1, argv, environment, &stage.config, &verb, error) == 0, "%s", error);
    stage.config.render.stuck_request_ms = 1500;
    stage.config.render.output_bytes_max = 24u * 1024 * 1024;
    rig_open(&stage.rig);
    stage.cdp = cdp_new(&stage.rig.loop, &stage.config, on_cdp, NULL);
    ck_assert_ptr_nonnull(stage.cdp);
    stage.rig.subject = stage.cdp;
    stage.rig.turn = turn;
    stage.rig.deadline_ms = deadline_ms;
    stage.origin = cdp_origin_new(origin_pages);
    cdp_launch(stage.cdp, stage_now_ms(), 1);
    ck_assert(await(CDP_LIFE_UP, 0, 30000, NULL));
}

void end(void)
{
    cdp_close_all(stage.cdp);
    ck_assert(rig_until(&stage.rig, is_closed, stage.cdp, 10000));
    drop_events();
    cdp_free(stage.cdp);
    rig_close(&stage.rig);
    cdp_origin_free(stage.origin);
    config_free(&stage.config);
}

TCase *stage_tcase(const char *name)
{
    TCase *tcase = tcase_create(name);

    tcase_add_unchecked_fixture(tcase, begin, end);
    tcase_set_timeout(tcase, 120);
    return tcase;
}

int stage_main(Suite *suite)
{
    return suite_run(suite, SUITE_IS_ONE);
}
