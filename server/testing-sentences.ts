/** What the sources say to people: the sentences that stand in them, as templates with numbered places, found by the TypeScript compiler's own reading of them. */
import { resolve } from "node:path";
import {
  isBinaryExpression,
  isCallExpression,
  isConditionalExpression,
  isElementAccessExpression,
  isExportDeclaration,
  isImportDeclaration,
  isNewExpression,
  isNoSubstitutionTemplateLiteral,
  isParenthesizedExpression,
  isPropertyAssignment,
  isStringLiteral,
  isTaggedTemplateExpression,
  isTemplateExpression,
  isTypeNode,
  type Node,
  type SourceFile,
  type TemplateExpression,
} from "typescript/unstable/ast";
import { API } from "typescript/unstable/sync";

/** text: with {0}, {1} ... where values stand. file: below the project's folder. line: from 1. */
export type Found = { text: string; file: string; line: number };

const root = resolve(import.meta.dirname, "..");

/** All texts in the programs' own files, also single words. What is thrown as a fault, logged, SQL, or of types alone is left out: people do not get to read it. */
export function textsInSources(isWanted: (file: string) => boolean): Found[] {
  const api = new API({ cwd: root });
  try {
    const { program, rootFiles } = api.updateSnapshot({ openProject: resolve(root, "tsconfig.json") }).getProjects()[0] ?? { program: null, rootFiles: [] };
    return rootFiles.flatMap((path) => {
      const file = path.slice(root.length + 1);
      const source = isWanted(file) ? program?.getSourceFile(path) : undefined;
      return source ? textsIn(source, file) : [];
    });
  } finally {
    api.close();
  }
}

function textsIn(source: SourceFile, file: string): Found[] {
  const found: Found[] = [];
  const starts = lineStarts(source.text);
  const lineOf = (at: number) => starts.findLastIndex((start) => start <= at) + 1;
  const add = (texts: readonly string[], node: Node) => {
    const line = lineOf(node.end);
    for (const text of texts) if (/\p{L}/u.test(text.replace(/\{\d+\}/g, "")) && !isSql(text)) found.push({ text, file, line });
  };
  const walk = (node: Node): void => {
    if (isImportDeclaration(node) || isExportDeclaration(node) || isTypeNode(node) || isTaggedTemplateExpression(node) || isForNobody(node, source.text))
      return;
    if (isStringLiteral(node) || isNoSubstitutionTemplateLiteral(node)) return add([node.text], node);
    if (isTemplateExpression(node)) {
      add(templatesOf(node), node);
      for (const { expression } of node.templateSpans) walkPlace(expression);
      return;
    }
    node.forEachChild((child) => void walk(child));
  };
  /** What a place may hold is a text of its own, but for the branches that became parts of the template. */
  const walkPlace = (node: Node): void => {
    const inner = bare(node);
    if (!isConditionalExpression(inner) || !isSpelledOut(inner)) return walk(inner);
    walk(inner.condition);
    for (const branch of [inner.whenTrue, inner.whenFalse].map(bare)) {
      if (isConditionalExpression(branch)) walkPlace(branch);
      else if (isTemplateExpression(branch)) for (const { expression } of branch.templateSpans) walkPlace(expression);
      else if (!isText(branch)) walk(branch);
    }
  };
  walk(source);
  return found;
}

const bare = (node: Node): Node => (isParenthesizedExpression(node) ? bare(node.expression) : node);
const isText = (node: Node) => isStringLiteral(node) || isNoSubstitutionTemplateLiteral(node);
/** A choice in the midst of a sentence of which a part is written there makes a sentence for each of its branches. */
const isSpelledOut = (node: Node): boolean =>
  isConditionalExpression(node) &&
  [node.whenTrue, node.whenFalse].map(bare).some((branch) => isText(branch) || isTemplateExpression(branch) || isSpelledOut(branch));

/** Places are marked with this character while the parts are put together, and numbered at the end. */
const mark = "\u0001";

function templatesOf(node: TemplateExpression): string[] {
  return [...new Set(spelled(node).map(numbered))];
}

const numbered = (text: string): string => {
  let n = 0;
  return text.replace(new RegExp(`${mark}+`, "g"), () => `{${n++}}`); // two places side by side cannot be told apart: they are one
};

function spelled(node: Node): string[] {
  const inner = bare(node);
  if (isStringLiteral(inner) || isNoSubstitutionTemplateLiteral(inner)) return [inner.text];
  if (isTemplateExpression(inner)) {
    return inner.templateSpans.reduce(
      (texts, { expression, literal }) => texts.flatMap((text) => spelled(expression).map((value) => text + value + literal.text)),
      [inner.head.text],
    );
  }
  if (isConditionalExpression(inner) && isSpelledOut(inner)) return [...spelled(inner.whenTrue), ...spelled(inner.whenFalse)];
  return [mark];
}

/** Faults and the log are for the operator and stay English (a RangeError is what the plant file says of a value); what a text is compared with is no sentence. */
function isForNobody(node: Node, text: string): boolean {
  if (isNewExpression(node)) return /^(?!Range|Wrong).*(Error|RegExp|Set)$/.test(text.slice(node.expression.pos, node.expression.end).trim());
  if (isPropertyAssignment(node)) return node.name.getText() === "help"; // of a metric
  if (isElementAccessExpression(node)) return isText(node.argumentExpression);
  if (isBinaryExpression(node)) return /^(===|!==)$/.test(text.slice(node.operatorToken.pos, node.operatorToken.end).trim());
  if (!isCallExpression(node)) return false;
  const called = text.slice(node.expression.pos, node.expression.end).trim();
  return (
    /^log\b|\blog\.\w+$|\blogFault$|\.describe$|\.(startsWith|endsWith|includes|replaceAll|split|rows|on|once|setHeader)$/.test(called) && !/\n/.test(called)
  );
}

const isSql = (text: string) =>
  /^\s*(--|\(?(select|insert|update|delete|begin|commit|case|coalesce|extract|round|exists|copy|listen|lock|with \w+ as|set (local|timezone)) )/.test(text) ||
  /\b(extract\(epoch|is not null|is null|any\(\$|::(text|int|float8|timestamptz)|interval ')/.test(text);

function lineStarts(text: string): number[] {
  return [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
}
