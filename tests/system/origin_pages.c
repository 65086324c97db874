/* origin_pages.c: pages that are the same for every request; see origin.h. */
#include "tests/system/origin_pages.h"

#include <stddef.h>
#include <string.h>

#define PAGE(title, rest)                                                                          \
    "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title>" title                             \
    "</title></head><body>" rest "</body></html>"

static const struct {
    const char *path, *document;
} pages[] = {
    {"/timers",
     PAGE("Timers", "<p id=\"out\">timers wait</p><script>\n"
                    "const out = document.getElementById('out');\n"
                    "setTimeout(async () => {\n"
                    "    const reply = await fetch('/api/slow?ms=50');\n"
                    "    const value = await reply.json();\n"
                    "    setTimeout(() => { out.textContent = 'timers ' + value.text; }, 800);\n"
                    "}, 300);\n"
                    "</script>")},
    {"/hang", PAGE("Hang", "<p>here already</p><img src=\"/never\">")},
    {"/hang-empty", PAGE("Hang", "<div id=\"app\"></div><link rel=stylesheet href=\"/never\">")},
    {"/hang-cached", "<!DOCTYPE html><title>Hang</title><meta name=\"prerender-header\" "
                     "content=\"Cache-Control: max-age=60\"><p>here already</p>"
                     "<img src=\"/never\">"},
    {"/spin", PAGE("Spin", "<p>before</p><script>while (true) {}</script>")},
    {"/spin-leaving", PAGE("Spin leaving", "<p>loaded</p><script>\n"
                                           "addEventListener('pagehide', () => {\n"
                                           "    navigator.sendBeacon('/beacon?left');\n"
                                           "    while (true) {}\n"
                                           "});\n"
                                           "</script>")},
    {"/spin-later", PAGE("Spin later", "<p>loaded</p><script>\n"
                                       "addEventListener('load', () => {\n"
                                       "    setTimeout(() => { while (true) {} }, 0);\n"
                                       "});\n"
                                       "</script>")},
    {"/script-redirect", PAGE("Moved", "<script>location.replace('/static?n=scripted');</script>")},
    {"/surrogate", PAGE("Surrogate", "<script>\n"
                                     "document.body.append('lone \\ud800 half, '"
                                     " + 'pair \\ud83d\\ude00, nul \\u0000 end');\n"
                                     "</script>")},
    {"/clobber", PAGE("Clobber", "<img name=\"documentElement\"><form name=\"body\"></form>\n"
                                 "<img name=\"querySelector\"><form><input name=\"outerHTML\">\n"
                                 "<input name=\"children\"></form><p>seen through</p>\n"
                                 "<script>\n"
                                 "const lie = {get() { return 'a lie'; }};\n"
                                 "Object.defineProperty(Element.prototype, 'outerHTML', lie);\n"
                                 "Object.defineProperty(Node.prototype, 'textContent', lie);\n"
                                 "Object.defineProperty(Document.prototype, 'URL', lie);\n"
                                 "Object.defineProperty(Document.prototype, 'title', lie);\n"
                                 "Object.prototype.toJSON = () => 'a lie';\n"
                                 "Array.prototype.toJSON = () => 'a lie';\n"
                                 "JSON.stringify = () => 'a lie';\n"
                                 "Promise.prototype.then = () => {};\n"
                                 "performance.getEntriesByType = () => [];\n"
                                 "TextEncoder.prototype.encode = () => [];\n"
                                 "window.requestAnimationFrame = () => {};\n"
                                 "</script>")},
    {"/stays", PAGE("Stays", "<p>stays</p><script>\n"
                             "addEventListener('beforeunload', (event) => {\n"
                             "    event.preventDefault(); event.returnValue = 'stay';\n"
                             "});\n"
                             "for (let i = 0; i < 10; i++) { open('/static?n=popup'); }\n"
                             "history.pushState(1, '', '/stays?pushed');\n"
                             "</script>")},
    {"/serves", PAGE("Serves", "<p>real</p><script>\n"
                               "navigator.serviceWorker.oncontrollerchange = async () => {\n"
                               "    const reply = await fetch('/static?n=probe');\n"
                               "    document.body.append('then ' + await reply.text());\n"
                               "    window.isServed = true;\n"
                               "};\n"
                               "navigator.serviceWorker.register('/sw.js');\n"
                               "</script>")},
    {"/dialog", PAGE("Dialog", "<script>\n"
                               "alert('stop'); confirm('sure?');\n"
                               "document.body.append('after the dialogs');\n"
                               "</script>")},
    {"/asks", PAGE("Asks", "<script>\n"
                           "document.body.append('told ' + alert('a') + ', sure ' + confirm('b')\n"
                           "    + ', named [' + prompt('c', 'nobody') + ']');\n"
                           "</script>")},
    {"/asks-on", PAGE("Asks on", "<script>\n"
                                 "let yes = 0;\n"
                                 "for (let i = 0; i < 24; i++) { yes += confirm('more?'); }\n"
                                 "document.body.append('yes ' + yes + ' times');\n"
                                 "</script>")},
    {"/script-loop", PAGE("Loop", "<p>again</p><script>\n"
                                  "location.replace('/script-loop?' + Math.random());\n"
                                  "</script>")},
    {"/saves", PAGE("Saves", "<a href=\"/download\" download>file</a><script>\n"
                             "document.querySelector('a').click();\n"
                             "setTimeout(() => { document.body.append('still here'); }, 500);\n"
                             "</script>")},
    {"/streams", PAGE("Streams", "<p>no event</p><script>\n"
                                 "const out = document.querySelector('p');\n"
                                 "new EventSource('/events').onmessage = (event) => {\n"
                                 "    out.textContent = event.data;\n"
                                 "    setTimeout(() => { out.textContent += ', later'; }, 1000);\n"
                                 "};\n"
                                 "</script>")},
    {"/polls", PAGE("Polls", "<p>polls</p><script>\n"
                             "const poll = () => fetch('/never').finally(poll);\n"
                             "poll();\n"
                             "setTimeout(() => { document.body.append('meanwhile'); }, 1000);\n"
                             "</script>")},
    {"/deep", PAGE("Deep", "<script>\n"
                           "let at = document.body;\n"
                           "for (let i = 0; i < 100000; i++) {\n"
                           "    at = at.appendChild(document.createElement('div'));\n"
                           "}\n"
                           "at.append('bottom');\n"
                           "</script>")},
    {"/reaches",
     PAGE("Reaches", "<p id=\"out\">reaches</p><script>\n"
                     "const url = location.search.slice(1);\n"
                     "const image = new Image(), script = document.createElement('script');\n"
                     "const socket = new WebSocket(url.replace('http', 'ws'));\n"
                     "image.src = script.src = url;\n"
                     "document.body.append(image, script);\n"
                     "Promise.all([\n"
                     "    fetch(url, {mode: 'no-cors'}).then(() => 'yes', () => 'no'),\n"
                     "    new Promise(end => { socket.onclose = end; }),\n"
                     "]).then(ends => { document.getElementById('out').textContent =\n"
                     "    'reached ' + ends[0]; });\n"
                     "</script>")},
    {"/prints",
     PAGE("Prints", "<style>body{margin:0}section{height:700px}"
                    "section+section{break-before:page}\n"
                    "#box{position:absolute;left:40px;top:60px;width:120px;height:50px;"
                    "background:#08f}</style>\n"
                    "<section>\n<div id=\"visit\"></div>\n<a href=\"/next?a=b#c\">onward</a>"
                    "<div id=\"box\"></div><i hidden>not seen</i></section>\n"
                    "<section>second sheet</section>\n<section>third sheet</section>\n"
                    "<script>document.getElementById('visit').textContent = 'visit' +\n"
                    "    Math.floor(Math.random() * 9e8 + 1e8);</script>")},
    {"/uses-cache", PAGE("Cache", "<script src=\"/cacheable\"></script>")},
    {"/popup", PAGE("Popup", "<script>\n"
                             "open('/static?n=popup');\n"
                             "document.body.append('popup asked for');\n"
                             "</script>")},
};

const char *origin_fixed_page(const char *path)
{
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        if (strcmp(path, pages[i].path) == 0) {
            return pages[i].document;
        }
    }
    return NULL;
}
