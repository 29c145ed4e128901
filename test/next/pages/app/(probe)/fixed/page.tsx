/** A page that is made when the project is built, and that the proxy runs for. */
export default function FixedPage() {
  return <h1>The same for everybody</h1>;
}
