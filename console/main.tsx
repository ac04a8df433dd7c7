import { render } from 'preact';
import { App } from './app.tsx';
import { watchOverview } from './live-overview.ts';
import 'uplot/dist/uPlot.min.css';
import './style.css';

watchOverview();
render(<App />, document.getElementById('app') as HTMLElement);
