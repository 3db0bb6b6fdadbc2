/** The parts of ECharts that the console uses; one chunk, loaded with the first picture. */
import { BarChart, GraphChart, LineChart } from 'echarts/charts'
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'

use([AriaComponent, BarChart, GraphChart, GridComponent, LegendComponent, LineChart, SVGRenderer, TooltipComponent])

export { init }
