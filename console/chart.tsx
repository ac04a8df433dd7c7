/** A line for each series over the last hour. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { Empty } from './ui.tsx';

export type Series = { name: string; color: string; values: (number | null)[] };

type Props = { title: string; times: number[]; series: Series[]; format(value: number): string; isLog?: boolean };

const height = 190;

const colorOf = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const optionsOf = ({ series, format, isLog }: Props, width: number): uPlot.Options => {
  const axis = { stroke: colorOf('--dim'), grid: { stroke: colorOf('--line'), width: 1 }, ticks: { show: false } };
  return {
    width,
    height,
    cursor: { drag: { x: false, y: false } },
    legend: { show: true, live: false },
    scales: { y: { distr: isLog ? 3 : 1, range: isLog ? undefined : (_chart, _min, max) => [0, Math.max(1, max)] } },
    axes: [
      { ...axis, values: '{HH}:{mm}' },
      { ...axis, size: 62, values: (_chart, ticks) => ticks.map((tick) => (tick === null ? '' : format(tick))) },
    ],
    series: [
      {},
      ...series.map(({ name, color }) => ({
        label: name,
        stroke: colorOf(color),
        width: 2,
        // A minute alone would be no line.
        points: { show: isLog, size: 5 },
        spanGaps: false,
      })),
    ],
  };
};

export const Chart = (props: Props) =>
  props.series.some(({ values }) => values.some((value) => value !== null && value > 0)) ? (
    <Drawn {...props} />
  ) : (
    <figure>
      <figcaption>{props.title}</figcaption>
      <Empty>Nothing in the last hour.</Empty>
    </figure>
  );

const Drawn = (props: Props) => {
  const place = useRef<HTMLDivElement>(null);
  const { title, times, series } = props;
  const key = JSON.stringify([times, series]);
  // `key` stands for what is drawn.
  useEffect(() => {
    const element = place.current as HTMLDivElement;
    let chart: uPlot | undefined;
    const draw = (): void => {
      chart?.destroy();
      const data = [times, ...series.map(({ values }) => values)] as uPlot.AlignedData;
      chart = new uPlot(optionsOf(props, element.clientWidth), data, element);
    };
    draw();
    const colors = matchMedia('(prefers-color-scheme: dark)');
    colors.addEventListener('change', draw);
    const sizes = new ResizeObserver(() => chart?.setSize({ width: element.clientWidth, height }));
    sizes.observe(element);
    return () => {
      colors.removeEventListener('change', draw);
      sizes.disconnect();
      chart?.destroy();
    };
  }, [key]);
  return (
    <figure>
      <figcaption>{title}</figcaption>
      <div ref={place} class="chart" role="img" aria-label={`${title}, by minute`} />
    </figure>
  );
};
