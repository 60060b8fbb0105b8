import { startFauxqs } from 'fauxqs';

const server = await startFauxqs({ port: 0, logger: false });
const queueUrls = ['warm-up', 'single', 'worker', 'batch'].map((name) => server.createQueue(name).queueUrl);
process.send?.({ endpoint: `http://127.0.0.1:${server.port}`, queueUrls });
