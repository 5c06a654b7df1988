// Plotly, loaded when it is needed, in the colours of the page.

let loading = null;

export function plotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = "/assets/plotly.min.js";
    script.onload = () => resolve(globalThis.Plotly);
    script.onerror = () => { loading = null; reject(new TypeError("the plotting library could not be loaded")); };
    document.head.append(script);
  });
  return loading;
}

export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// Of several runs each has a colour and a dash, so that colour is not all that tells them apart.
export function traceStyle(at) {
  const colours = ["trace", "trouble", "running", "coming", "waiting", "done", "idle"].map(colour);
  return { color: colours[at % colours.length], dash: ["solid", "dash", "dot", "dashdot"][Math.floor(at / 2) % 4], width: 1.6 };
}

export function axis(title, more = {}) {
  return {
    title: { text: title, standoff: 8, font: { size: 13 } }, gridcolor: colour("line"), linecolor: colour("button-line"),
    zeroline: false, tickfont: { size: 12 }, automargin: true, ...more,
  };
}

function layout(more) {
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: getComputedStyle(document.body).fontFamily, color: colour("ink"), size: 13 },
    hoverlabel: { bgcolor: colour("surface"), font: { color: colour("ink") } },
    modebar: { bgcolor: colour("surface"), color: colour("soft"), activecolor: colour("link") },
    showlegend: false, legend: { orientation: "h", y: 1.01, yanchor: "bottom", x: 0 }, ...more,
  };
}

// Plotly would offer to upload the plot to its cloud: measurements stay in the house.
const CONFIG = { responsive: true, showSendToCloud: false, plotlyServerURL: "", displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"], doubleClick: false };

export async function draw(element, traces, wanted) {
  const library = await plotly();
  const margin = { l: 64, r: 12, t: wanted.showlegend ? 40 : 8, b: 44 }; // room for a legend of two lines
  await library.react(element, traces, layout({ margin, ...wanted }), CONFIG);
}
