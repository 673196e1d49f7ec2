/** What a source file refers to: modules, packages, and files that it finds beside itself. */

import { posix } from 'node:path';
import ts from 'typescript-6';

export interface Reference {
  /** A path below the project for a file of it, else the name of the package or `node:` module. */
  readonly target: string;
  /** Only types are taken: nothing of it is there at run time. */
  readonly isType: boolean;
  readonly line: number;
}

/** Everything that the file at `path` with this text imports, re-exports, loads or starts. */
export function referencesOf(path: string, text: string): readonly Reference[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const found: Reference[] = [];
  const visit = (node: ts.Node): void => {
    const reference = referenceAt(node);
    if (reference !== undefined) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      const target = resolved(path, reference.specifier);
      found.push({ target, isType: reference.isType, line: line + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Where the text uses one of the global names, written as `name` or `object.name`. */
export function globalsOf(
  path: string,
  text: string,
  names: ReadonlySet<string>,
): readonly { readonly name: string; readonly line: number }[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const found: { name: string; line: number }[] = [];
  const visit = (node: ts.Node): void => {
    const isProperty = isNameOf(node);
    const name = ts.isIdentifier(node) || ts.isPropertyAccessExpression(node) ? node.getText() : '';
    if (!isProperty && names.has(name)) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      found.push({ name, line: line + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Whether a node is the last part of `object.name`. */
function isNameOf(node: ts.Node): boolean {
  const { parent } = node;
  // The file itself has no parent, whatever its type says.
  return parent !== undefined && ts.isPropertyAccessExpression(parent) && parent.name === node;
}

interface Specified {
  readonly specifier: string;
  readonly isType: boolean;
}

function referenceAt(node: ts.Node): Specified | undefined {
  if (ts.isImportDeclaration(node)) {
    const clause = node.importClause;
    return specified(node.moduleSpecifier, clause !== undefined && takesTypesOnly(clause));
  }
  if (ts.isExportDeclaration(node)) return specified(node.moduleSpecifier, node.isTypeOnly);
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return specified(node.argument.literal, true);
  }
  const isImport =
    ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
  if (isImport) return specified(node.arguments[0], false);
  if (ts.isNewExpression(node) && isBesideHere(node)) return specified(node.arguments?.[0], false);
  return undefined;
}

function takesTypesOnly({ phaseModifier, name, namedBindings }: ts.ImportClause): boolean {
  if (phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  if (name !== undefined || namedBindings === undefined) return false;
  return ts.isNamedImports(namedBindings) && namedBindings.elements.every((one) => one.isTypeOnly);
}

/** `new URL('...', import.meta.url)`. */
function isBesideHere({ expression, arguments: args }: ts.NewExpression): boolean {
  return expression.getText() === 'URL' && args?.[1]?.getText() === 'import.meta.url';
}

function specified(node: ts.Node | undefined, isType: boolean): Specified | undefined {
  if (node === undefined || !ts.isStringLiteralLike(node)) return undefined;
  return { specifier: node.text, isType };
}

function resolved(path: string, specifier: string): string {
  if (!specifier.startsWith('.')) return specifier;
  return posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts');
}
