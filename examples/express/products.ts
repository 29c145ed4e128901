/** A bag of coffee. */
export interface Product {
  readonly name: string;
  readonly notes: string;
  readonly price: number;
  readonly stock: number;
}

/** Everything that the shop sells. */
export const PRODUCTS: readonly Product[] = [
  { name: 'Kenya Karatina', notes: 'Blackcurrant, tomato leaf', price: 14, stock: 12 },
  { name: 'Colombia Huila', notes: 'Caramel, red apple', price: 12, stock: 3 },
  { name: 'Ethiopia Guji', notes: 'Peach, jasmine', price: 15, stock: 7 },
];
