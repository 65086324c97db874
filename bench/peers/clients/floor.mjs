// The floor: a bare CDP client. It waits as the daemon does (virtual time in slices, frames,
// looks; see cdp/render.h) on one warm page, and does nothing else: no HTTP, no pool, no
// deadlines, no cleaning. It times itself from its first command to the document.

import {performance} from 'node:perf_hooks';
import {Connection, launch} from '../cdp.mjs';
import {browserPath, serve} from '../clients.mjs';

const SLICE_MS = 500;
const SETTLE_MS = 5000;
const LEAD_MIN_MS = 100; // The page's clock is kept that far ahead of the real one ...
const LEAD_MS = 500;     // ... or put this far ahead.
const SKEW_MAX_MS = 600000 - LEAD_MS; // As run.mjs and page_clock.c have it.
const AHEAD_MIN_MS = 50; // Frames come while it is this far ahead.
const FRAMES_MAX = 12;
const FRAMES_PATIENT_MAX = 60;
const QUIET_LOOKS = 6;
const NOISE_US = 25;
const LOOK_MS = 150;
const WAITING_LOOKS = 2;
const STUCK_MS = 5000;
const WAITING_SHARE = 4; // A page whose tasks took less than this share of the time waits.
const STREAM_MS = 500;
const SILENCE_MIN_MS = 50;
const PAUSES = 2;
const WINDOW = {width: 1280, height: 800};
const NOTHING_HEARD = {messages: 0, ms: 0, pause: 0};

const MEASURE = `function(){
    const p = performance.getEntriesByType('navigation')[0];
    return [p ? p.responseStatus : 0, this.documentElement.outerHTML.length, this.URL, this.title];
}`;

const FRAME = 'new Promise(requestAnimationFrame)';

class Page {
    constructor(connection, context) {
        this.connection = connection;
        this.context = context;
    }

    async open() {
        const {targetId} = await this.connection.send('Target.createTarget', {
            url: 'about:blank', ...WINDOW, browserContextId: this.context});
        const {sessionId} = await this.connection.send('Target.attachToTarget',
                                                       {targetId, flatten: true});
        this.target = targetId;
        this.session = sessionId;
        this.connection.handlers.set(sessionId, (method, params) => this.#on(method, params));
        this.send('Page.enable');
        // Scripts see the size of the window; what is painted is next to nothing.
        this.send('Emulation.setDeviceMetricsOverride', {
            ...WINDOW, deviceScaleFactor: 1, mobile: false, dontSetVisibleSize: true});
        this.send('Emulation.setVisibleSize', {width: 64, height: 64});
        this.send('Performance.enable');
        this.seen = await this.look();
        this.base = this.seen.clock - performance.now();
    }

    close() {
        this.connection.handlers.delete(this.session);
        return this.connection.send('Target.closeTarget', {targetId: this.target});
    }

    send(method, params) {
        return this.connection.send(method, params, this.session);
    }

    #on(method, params) {
        if (method === 'Page.frameNavigated' && params.frame.parentId === undefined)
            this.#committed(params.frame.loaderId);
        else if (method === 'Emulation.virtualTimeBudgetExpired')
            this.#expired();
        else if (method === 'Page.frameStoppedLoading' && params.frameId === this.target)
            this.loaded?.();
        else if (method === 'Page.loadEventFired' && this.loader !== undefined)
            this.#loadedAt(params.timestamp * 1000);
        else if (method.startsWith('Network.'))
            this.#watch(method, params);
    }

    #committed(loader) {
        this.loader = loader;
        // One without a name would be a further one for each document.
        this.world = this.send('Page.createIsolatedWorld', {
            frameId: this.target, worldName: 'floor'});
        this.document = this.world.then(({executionContextId}) => this.send('Runtime.evaluate', {
            expression: 'document', contextId: executionContextId}));
        this.grant();
    }

    #loadedAt(clock) {
        this.loadClock = clock;
        this.loaded?.();
    }

    #expired() {
        this.granted = false;
        this.unlooked += this.grantMs; // In ms.
        if (this.expired !== undefined)
            this.expired();
        else if (this.unlooked < 20 * SLICE_MS)
            this.grant();
    }

    grant(ms = SLICE_MS) {
        this.granted = true;
        this.grantMs = ms;
        this.grantedAt = performance.now();
        this.send('Emulation.setVirtualTimePolicy', {
            policy: this.stuck ? 'advance' : 'pauseIfNetworkFetchesPending', budget: ms});
    }

    async look() {
        const {metrics} = await this.send('Performance.getMetrics');
        this.unlooked = 0; // What expired before the answer came was over when it was made.
        const of = Object.fromEntries(metrics.map(({name, value}) => [name, value]));
        return {clock: of.Timestamp * 1000, script: of.ScriptDuration * 1e6,
                tasks: of.TaskDuration * 1000, at: performance.now(), nodes: of.Nodes,
                listeners: of.JSEventListeners, documents: of.Documents, requests: of.Resources,
                workers: of.WorkerGlobalScopes};
    }

    async measure() {
        const {result} = await this.document;
        await this.send('Runtime.callFunctionOn', {objectId: result.objectId, returnByValue: true,
                                                   functionDeclaration: MEASURE});
        this.measured = true;
    }

    async frame() {
        const {executionContextId} = await this.world;
        const framed = this.send('Runtime.evaluate', {
            expression: FRAME, contextId: executionContextId, awaitPromise: true,
            returnByValue: true});
        await Promise.race([framed, new Promise(resolve => setTimeout(resolve, 500))]);
    }

    clock() {
        return this.seen.clock + this.unlooked;
    }

    ahead() {
        return this.clock() - this.base - performance.now();
    }

    patient() {
        return (this.stuck && !this.streams) || this.seen.workers > 0;
    }

    // True when it brought something new.
    judge(look) {
        const old = this.seen;
        this.seen = look;
        const moved = look.script - old.script > NOISE_US || look.nodes !== old.nodes ||
                      look.listeners !== old.listeners || look.documents !== old.documents ||
                      look.requests !== old.requests;
        this.quiet = moved ? 0 : this.quiet + 1;
        if (moved) {
            this.owed = this.frames < (this.patient() ? FRAMES_PATIENT_MAX : FRAMES_MAX);
            this.measured = false;
        }
        return moved;
    }

    // All that is left, after the first.
    slice(left, sliced) {
        if (this.patient())
            return left <= 0 ? SLICE_MS / 10 : SLICE_MS;
        return !sliced || left < SLICE_MS ? SLICE_MS : Math.ceil(left);
    }

    // Where one was found, the next render of the URL is watched from its start.
    async hasStreams() {
        const {result} = await this.send('Runtime.evaluate', {expression: 'EventSource.prototype'});
        const {objects} = await this.send('Runtime.queryObjects',
                                          {prototypeObjectId: result.objectId});
        const answer = await this.send('Runtime.callFunctionOn', {
            objectId: objects.objectId, returnByValue: true,
            functionDeclaration: 'function(){return this.some(e=>e.readyState<2)}'});
        this.streamUrl = answer.result.value ? this.url : null;
        this.heardBefore = NOTHING_HEARD;
        return answer.result.value;
    }

    #watch(method, {requestId, loaderId, type}) {
        if (this.pending === null)
            return;
        if (method === 'Network.requestWillBeSent')
            this.pending.set(requestId, {loader: loaderId, isStream: type === 'EventSource'});
        else if (method === 'Network.loadingFinished' || method === 'Network.loadingFailed')
            this.pending.delete(requestId);
        else if (method === 'Network.eventSourceMessageReceived')
            this.#hear();
        if (this.#onlyStreams())
            this.onlyStreamsAt ??= performance.now();
        this.wake?.();
    }

    #hear() {
        const {messages, ms: last, pause} = this.heard;
        const ms = performance.now() - (this.onlyStreamsAt ?? performance.now());
        this.heard = {messages: messages + 1, ms, pause: Math.max(pause, ms - last)};
        if (this.#isKnown() && this.heard.messages >= this.heardBefore.messages)
            this.heardAllAt = performance.now();
    }

    // Streams are all that is pending of the document.
    #onlyStreams() {
        const ours = [...this.pending.values()].filter(({loader}) => loader === this.loader);
        return ours.length > 0 && ours.every(({isStream}) => isStream);
    }

    // The render before has told what streams bring.
    #isKnown() {
        return this.pending !== null && this.heardBefore.messages > 0;
    }

    // When the clock goes on without what is pending. Streams: half as long beyond the last
    // message of the render before, if that told of any; some pauses once as many have come.
    #stuckAt() {
        if (this.stuck)
            return Infinity;
        if (!this.streams)
            return this.grantedAt + STUCK_MS;
        const {ms, pause} = this.heardBefore;
        const grace = this.#isKnown() ? Math.min(STREAM_MS, ms + STREAM_MS / 2) : STREAM_MS;
        const silence = Math.min(STREAM_MS / 2, Math.max(SILENCE_MIN_MS, PAUSES * pause));
        return Math.min(this.grantedAt + grace, (this.heardAllAt ?? Infinity) + silence);
    }

    // Until that time, the end of the grant, or an event of the network.
    async #sleepUntil(at) {
        await new Promise(resolve => {
            const timer = setTimeout(resolve, Math.max(0, at - performance.now()));
            this.wake = () => {
                clearTimeout(timer);
                resolve();
            };
        });
        this.wake = undefined;
    }

    // Waits for the end of the grant; looks closer when the clock stands still.
    async spend() {
        this.expired = () => this.wake?.();
        for (let waiting = 0, lookAt = performance.now() + LOOK_MS; this.granted;) {
            if (this.pending !== null)
                this.streams = this.#onlyStreams();
            await this.#sleepUntil(Math.min(lookAt, this.#stuckAt()));
            if (!this.granted)
                break;
            if (performance.now() >= this.#stuckAt()) {
                this.stuck = true;
                this.send('Emulation.setVirtualTimePolicy', {policy: 'advance'});
            }
            if (performance.now() < lookAt)
                continue;
            const old = this.seen, look = await this.look();
            this.judge(look);
            lookAt = performance.now() + LOOK_MS;
            const waits = look.tasks - old.tasks < (look.at - old.at) / WAITING_SHARE;
            waiting = waits ? waiting + 1 : 0;
            if (this.pending === null && !this.inspected && waiting >= WAITING_LOOKS) {
                this.inspected = true;
                this.streams = await this.hasStreams();
            }
        }
        this.expired = undefined;
    }

    async settle() {
        const look = await this.look();
        const ran = look.script > this.scriptBefore;
        this.judge(look);
        this.owed = ran;
        const begun = this.loadClock ?? look.clock;
        const end = Math.max(begun, this.base + performance.now()) + SETTLE_MS;
        for (let sliced = false; ran;) {
            if (this.granted) {
                await this.spend();
                sliced = true;
                continue;
            }
            const framesMax = this.patient() ? FRAMES_PATIENT_MAX : FRAMES_MAX;
            const isOver = this.clock() >= end;
            const isSettled = !this.owed && isOver &&
                (!this.patient() || this.quiet >= QUIET_LOOKS || this.frames >= framesMax);
            if (this.unlooked > 0) {
                const measure = isSettled ? this.measure() : null;
                const moved = this.judge(await this.look());
                await measure;
                this.measured = isSettled && !moved;
                continue;
            }
            if (isSettled)
                break;
            const wants = (this.owed && (sliced || isOver)) ||
                (this.patient() && this.frames < framesMax);
            if (wants && this.ahead() >= AHEAD_MIN_MS) {
                this.owed = false;
                this.frames++;
                await this.frame();
            }
            this.grant(this.slice(end - this.clock(), sliced));
        }
    }

    async render(url) {
        this.stuck = this.streams = this.inspected = this.granted = this.owed = this.measured = false;
        this.frames = this.quiet = this.unlooked = 0;
        this.expired = undefined;
        this.scriptBefore = this.seen.script;
        const by = LEAD_MS - this.ahead();
        if (by > LEAD_MS - LEAD_MIN_MS) {
            this.send('Emulation.setVirtualTimePolicy', {policy: 'advance', budget: Math.ceil(by)});
            this.seen.clock += by;
        }
        this.url = url;
        this.pending = url === this.streamUrl ? new Map() : null;
        this.onlyStreamsAt = this.heardAllAt = this.loadClock = undefined;
        this.heard = NOTHING_HEARD;
        if (this.pending !== null)
            this.send('Network.enable');
        const loaded = new Promise(resolve => { this.loaded = resolve; });
        const {errorText} = await this.send('Page.navigate', {url});
        if (errorText)
            throw new Error(errorText);
        await loaded;
        this.expired = () => {};
        await this.settle();
        if (!this.measured)
            await this.measure();
        const {result} = await this.document;
        const {outerHTML} = await this.send('DOM.getOuterHTML', {objectId: result.objectId,
                                                                includeShadowDOM: true});
        this.granted = false;
        if (this.pending !== null) {
            this.send('Network.disable');
            const isLess = this.heard.messages < this.heardBefore.messages;
            this.heardBefore = isLess ? NOTHING_HEARD : this.heard;
        }
        return outerHTML;
    }
}

const url = await launch(browserPath, JSON.parse(process.env.BENCH_SWITCHES));
const connection = await Connection.open(url);
const {browserContextId} = await connection.send('Target.createBrowserContext');
let page = new Page(connection, browserContextId);
await page.open();

serve(async url => {
    const start = performance.now();
    const html = await page.render(url);
    const ms = performance.now() - start;
    // Off the clock, as the daemon does it: a page whose clock has run ahead is replaced.
    page.seen = await page.look();
    if (page.ahead() > SKEW_MAX_MS) {
        const old = page;
        page = new Page(connection, browserContextId);
        await page.open();
        await old.close();
    }
    return {html, ms};
});
