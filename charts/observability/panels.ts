// SPDX-License-Identifier: Apache-2.0

// Panels as the dashboards use them: a title, what it shows, queries. Everything that Grafana would otherwise decide by its own defaults is set here once.
import {
  BigValueGraphMode,
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardBuilder,
  DatasourceVariableBuilder,
  type DataTransformerConfig,
  type DynamicConfigValue,
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  type Panel,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as GraphBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** The data source that the variable of the dashboard names. */
export const DATASOURCE = { type: 'prometheus', uid: `\${datasource}` } as const;

/** One query: PromQL, and how a series of it is called (Grafana's `{{label}}`). */
export interface Query {
  readonly expr: string;
  readonly legend?: string;
}

/** What every panel has. */
export interface PanelSpec {
  readonly title: string;
  readonly description: string;
  readonly queries: readonly Query[];
  /** Grafana's unit: `s`, `bytes`, `reqps`, `percentunit`, `short`, `none` … */
  readonly unit?: string;
  /** Of 24 columns. */
  readonly width: number;
  /** Default 8; stats 4. */
  readonly height?: number;
  readonly mappings?: readonly ValueMapping[];
  /** Colours from a value on; the first is the base. */
  readonly steps?: readonly (readonly [value: number | null, color: string])[];
  readonly transformations?: readonly DataTransformerConfig[];
  /** By the name of a series or column. */
  readonly overrides?: Readonly<Record<string, readonly DynamicConfigValue[]>>;
  readonly min?: number;
  readonly stacked?: boolean;
}

/** Any panel, still without its number. */
export type PanelMaker = (id: number) => { build(): Panel };

type AnyBuilder = GraphBuilder | StatBuilder | TimelineBuilder | TableBuilder;

function common<B extends AnyBuilder>(builder: B, id: number, spec: PanelSpec): B {
  const { title, description, unit, width, height = 8, mappings, steps, transformations, overrides = {} } = spec;
  builder.id(id).title(title).description(description).datasource(DATASOURCE).span(width).height(height);
  if (unit !== undefined) builder.unit(unit);
  if (mappings !== undefined) builder.mappings([...mappings]);
  if (transformations !== undefined) builder.transformations([...transformations]);
  if (spec.min !== undefined) builder.min(spec.min);
  if (steps !== undefined) {
    const all = steps.map(([value, color]) => ({ value, color }));
    builder.thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(all));
  }
  for (const [name, properties] of Object.entries(overrides)) builder.overrideByName(name, [...properties]);
  return builder;
}

const refId = (index: number): string => String.fromCharCode('A'.charCodeAt(0) + index);

function query({ expr, legend }: Query, index: number): DataqueryBuilder {
  const made = new DataqueryBuilder().refId(refId(index)).expr(expr).datasource(DATASOURCE);
  return legend === undefined ? made : made.legendFormat(legend);
}

/** Lines over time. */
export function graph(spec: PanelSpec): PanelMaker {
  return (id) => {
    const legend = new VizLegendOptionsBuilder()
      .displayMode(LegendDisplayMode.List)
      .placement(LegendPlacement.Bottom)
      .showLegend(true);
    const tooltip = new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi);
    const builder = common(new GraphBuilder(), id, { min: 0, ...spec })
      .legend(legend)
      .tooltip(tooltip)
      .drawStyle(GraphDrawStyle.Line)
      .lineWidth(1)
      .fillOpacity(spec.stacked === true ? 30 : 0)
      .showPoints(VisibilityMode.Never);
    if (spec.stacked === true) builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
    return builder.targets(spec.queries.map((each, index) => query(each, index).range()));
  };
}

/** The value now, large. */
export function stat(spec: PanelSpec): PanelMaker {
  return (id) =>
    common(new StatBuilder(), id, { height: 4, ...spec })
      .graphMode(BigValueGraphMode.None)
      .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
      .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false).fields(''))
      .targets(spec.queries.map((each, index) => query(each, index).instant()));
}

/** States over time, one line each. */
export function timeline(spec: PanelSpec): PanelMaker {
  return (id) =>
    common(new TimelineBuilder(), id, spec)
      .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
      .showValue(VisibilityMode.Auto)
      .mergeValues(true)
      .rowHeight(0.8)
      .fillOpacity(70)
      .lineWidth(0)
      .targets(spec.queries.map((each, index) => query(each, index).range()));
}

/** Rows of labels and values, as they are now. */
export function table(spec: PanelSpec): PanelMaker {
  return (id) =>
    common(new TableBuilder(), id, spec).targets(
      spec.queries.map((each, index) => query(each, index).instant().format(PromQueryFormat.Table)),
    );
}

/** Values to words and colours. */
export function words(texts: Readonly<Record<string, readonly [text: string, color?: string]>>): ValueMapping {
  const entries = Object.entries(texts).map(([value, [text, color]], index) => [
    value,
    { text, index, ...(color === undefined ? {} : { color }) },
  ]);
  return { type: MappingType.ValueToText, options: Object.fromEntries(entries) };
}

/** A heading and the panels below it. */
export interface Section {
  readonly title: string;
  readonly panels: readonly PanelMaker[];
}

/** Puts sections and panels into a dashboard, numbered from 1. */
export function fill(dashboard: DashboardBuilder, sections: readonly Section[]): DashboardBuilder {
  let id = 1;
  for (const { title, panels } of sections) {
    dashboard.withRow(new RowBuilder(title).id(id++));
    for (const make of panels) dashboard.withPanel(make(id++));
  }
  return dashboard;
}

/** A dashboard with what all of ours have. */
export function emptyDashboard(uid: string, title: string, description: string): DashboardBuilder {
  return new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(['kmspool'])
    .timezone('browser')
    .refresh('1m')
    .time({ from: 'now-6h', to: 'now' })
    .readonly()
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'));
}
