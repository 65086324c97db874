// puppeteer-cluster with a context for each render, and as many workers as the daemon has
// pages.
import {Cluster} from 'puppeteer-cluster';
import puppeteer from 'puppeteer-core';
import {browserArgs, browserPath, serve} from '../clients.mjs';

const cluster = await Cluster.launch({
    puppeteer,
    concurrency: Cluster.CONCURRENCY_CONTEXT,
    maxConcurrency: Number(process.env.BENCH_PAGES),
    puppeteerOptions: {executablePath: browserPath, args: browserArgs},
});
await cluster.task(async ({page, data: url}) => {
    await page.goto(url, {waitUntil: 'networkidle0'});
    return page.content();
});

serve(url => cluster.execute(url));
