// SPDX-License-Identifier: Apache-2.0
//
// What runs in the page: draws the charts that its JSON describes, anew when the colour scheme changes. Plain JavaScript, for
// it is put into the page as it is; uPlot stands before it.
(() => {
  'use strict';
  const { charts, marks } = JSON.parse(document.getElementById('data').textContent);
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const numbers = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });
  const shown = (value, unit) => (value == null ? '–' : `${numbers.format(value)}${unit}`);
  const short = (value) =>
    value >= 1e6 ? `${numbers.format(value / 1e6)} M` : value >= 1e4 ? `${numbers.format(value / 1e3)} k` : numbers.format(value);

  /** A vertical line and a number at each change. */
  function drawMarks(u) {
    const { ctx, bbox } = u;
    const ratio = devicePixelRatio || 1;
    ctx.save();
    ctx.strokeStyle = css('--muted');
    ctx.fillStyle = css('--muted');
    ctx.lineWidth = ratio;
    ctx.setLineDash([2 * ratio, 3 * ratio]);
    ctx.font = `${11 * ratio}px system-ui, sans-serif`;
    ctx.textAlign = 'center';
    let right = Number.NEGATIVE_INFINITY;
    marks.forEach((day, at) => {
      const x = Math.round(u.valToPos(day, 'x', true));
      if (x < bbox.left || x > bbox.left + bbox.width) return;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      const text = String(at + 1);
      const half = ctx.measureText(text).width / 2;
      if (x - half > right + 2 * ratio) {
        ctx.fillText(text, x, bbox.top - 4 * ratio);
        right = x + half;
      }
    });
    ctx.restore();
  }

  /** Values to draw: one upon the other if they are stacked, the last series at the bottom. */
  function drawn(chart) {
    if (!chart.stacked) return chart.series.map(({ values }) => values);
    let below = chart.x.map(() => 0);
    return chart.series
      .toReversed()
      .map(({ values }) => {
        below = below.map((sum, at) => (values[at] == null ? null : (sum ?? 0) + values[at]));
        return below;
      })
      .toReversed();
  }

  function seriesOf(chart) {
    return chart.series.map(({ label, color, values, line }) => {
      const stroke = css(`--${color}`);
      const steps = line === 'threshold' ? undefined : uPlot.paths.stepped({ align: 1 });
      return {
        label,
        stroke,
        width: line === 'threshold' ? 1.5 : chart.stacked ? 1 : 2,
        ...(line === 'threshold' ? { dash: [6, 4] } : { paths: chart.steps ? steps : undefined }),
        ...(chart.stacked ? { fill: stroke } : {}),
        points: { show: false },
        value: (_u, _value, _series, at) => shown(at == null ? values.at(-1) : values[at], chart.unit),
      };
    });
  }

  function draw(chart, place) {
    const width = place.clientWidth;
    const axis = {
      stroke: () => css('--muted'),
      grid: { stroke: () => css('--line'), width: 1 },
      ticks: { stroke: () => css('--line'), width: 1 },
      font: '12px system-ui, sans-serif',
      labelFont: '12px system-ui, sans-serif',
    };
    const narrow = width < 560;
    return new uPlot(
      {
        width,
        height: narrow ? 220 : 280,
        padding: [18, 12, 0, 0],
        scales: { x: { time: false }, y: { range: (_u, _min, max) => [0, chart.top ?? Math.max(1, max * 1.05)] } },
        axes: [
          { ...axis, label: 'days since the start', labelSize: 20, size: 36, space: narrow ? 50 : 70 },
          {
            ...axis,
            label: chart.axis,
            labelSize: 20,
            size: 52,
            space: 34,
            incrs: [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500].concat([1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6]),
            values: (_u, splits) => splits.map((value) => `${short(value)}${chart.unit}`),
          },
        ],
        series: [
          { label: 'day', value: (_u, value) => (value == null ? 'at the end' : numbers.format(value)) },
          ...seriesOf(chart),
        ],
        legend: { live: true },
        cursor: { points: { show: false }, drag: { x: true, y: false } },
        hooks: { draw: [drawMarks] },
      },
      [chart.x, ...drawn(chart)],
      place,
    );
  }

  let plots = [];
  function drawAll() {
    for (const plot of plots) plot.destroy();
    plots = charts.map((chart) => draw(chart, document.getElementById(chart.id)));
  }

  drawAll();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
  let width = innerWidth;
  addEventListener('resize', () => {
    if (innerWidth === width) return;
    width = innerWidth;
    drawAll();
  });
})();
