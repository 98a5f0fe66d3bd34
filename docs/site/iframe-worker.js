// The site's search runs in a worker, which browsers refuse to a page that was opened from the
// disk. There, this runs the worker's script in a hidden frame instead, so that search works
// without a server.
(() => {
  if (location.protocol !== "file:") return;

  class FrameWorker extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.title = "Search";
      this.ready = new Promise((resolve, reject) => {
        frame.addEventListener("load", () => {
          const inside = frame.contentWindow;
          const script = frame.contentDocument.createElement("script");
          // What the script posts goes to whoever made the worker.
          inside.postMessage = (data) => this.tell("message", { data });
          script.addEventListener("load", () => resolve(inside));
          script.addEventListener("error", () => reject(new Error(`${url} cannot be loaded`)));
          script.src = url;
          frame.contentDocument.body.append(script);
        }, { once: true });
      });
      document.body.append(frame);
    }

    postMessage(data) {
      this.ready.then((inside) => {
        inside.dispatchEvent(new inside.MessageEvent("message", { data }));
      }, (error) => this.tell("error", { data: error }));
    }

    tell(kind, content) {
      this.dispatchEvent(new MessageEvent(kind, content));
    }
  }

  window.Worker = FrameWorker;
})();
