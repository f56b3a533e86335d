"""The words of the built-in store: departments with their product types, adjectives and price range; brand names.

Only words are here; store.py puts them together. Brands are invented. Every category has exactly 6 types and
8 adjectives, so that a product is one number, and no type comes in two categories, so that titles differ.
"""

from typing import Final, NamedTuple


class Category(NamedTuple):
    """A department: comma-separated adjectives and product types that go together, and prices from low to high."""

    name: str
    adjectives: str
    types: str
    price_low: float
    price_high: float


CATEGORIES: Final = (
    Category(
        "Coffee & Tea",
        "Organic, Fairtrade, Dark Roast, Single Origin, Decaf, Classic, Barista, Small Batch",
        "Espresso Beans, Filter Coffee, Coffee Capsules, Green Tea, Chai Blend, Cold Brew",
        4,
        40,
    ),
    Category(
        "Cookware",
        "Cast Iron, Nonstick, Copper, Stainless Steel, Enamelled, Induction, Compact, Professional",
        "Frying Pan, Saucepan, Casserole, Wok, Stock Pot, Grill Pan",
        18,
        260,
    ),
    Category(
        "Kitchen Appliances",
        "Compact, Digital, Retro, Quiet, Family Size, Stainless, Smart, Energy Saving",
        "Toaster, Kettle, Blender, Stand Mixer, Air Fryer, Espresso Machine",
        25,
        600,
    ),
    Category(
        "Tableware",
        "Hand-Glazed, Porcelain, Stoneware, Minimal, Rustic, Gold-Rimmed, Stackable, Everyday",
        "Dinner Plates, Cereal Bowls, Mug Set, Serving Platter, Salad Bowl, Espresso Cups",
        9,
        140,
    ),
    Category(
        "Bedding",
        "Linen, Washed Cotton, Sateen, Hypoallergenic, Lightweight, Winter, Striped, Quilted",
        "Duvet Cover, Pillowcase Pair, Fitted Sheet, Down Pillow, Blanket, Mattress Topper",
        15,
        320,
    ),
    Category(
        "Furniture",
        "Oak, Walnut, Velvet, Scandinavian, Foldable, Mid-Century, Upholstered, Adjustable",
        "Armchair, Coffee Table, Bookshelf, Desk, Dining Chair, Sideboard",
        60,
        1800,
    ),
    Category(
        "Lighting",
        "Dimmable, Brass, Paper, Industrial, Wireless, Warm White, Ceramic, Smart",
        "Floor Lamp, Table Lamp, Pendant Light, Reading Light, Wall Sconce, String Lights",
        12,
        380,
    ),
    Category(
        "Garden",
        "Cordless, Galvanised, Terracotta, Self-Watering, Foldable, Heavy-Duty, Bamboo, Solar",
        "Hedge Trimmer, Planter, Watering Can, Garden Bench, Pruning Shears, Raised Bed",
        8,
        350,
    ),
    Category(
        "Power Tools",
        "Cordless, Brushless, Compact, Heavy-Duty, 18V, Quiet, Corded, Professional",
        "Drill Driver, Jigsaw, Random Orbit Sander, Impact Driver, Circular Saw, Heat Gun",
        35,
        420,
    ),
    Category(
        "Women's Shoes",
        "Leather, Suede, Waterproof, Platform, Vegan, Cushioned, Slip-On, Lace-Up",
        "Ankle Boots, Sneakers, Loafers, Sandals, Ballet Flats, Chelsea Boots",
        35,
        280,
    ),
    Category(
        "Men's Shoes",
        "Leather, Suede, Waterproof, Wide-Fit, Canvas, Cushioned, Slip-On, Handmade",
        "Derby Shoes, Trainers, Boat Shoes, Chukka Boots, Brogues, Espadrilles",
        35,
        320,
    ),
    Category(
        "Running",
        "Lightweight, Cushioned, Reflective, Breathable, Trail, Carbon-Plated, Seamless, Waterproof",
        "Running Shoes, Running Shorts, Running Jacket, Hydration Vest, Running Tights, Running Cap",
        18,
        280,
    ),
    Category(
        "Cycling",
        "Aero, Lightweight, Windproof, Padded, Reflective, Tubeless, Carbon, Commuter",
        "Bike Helmet, Bib Shorts, Bike Light Set, Saddle, Cycling Jersey, Floor Pump",
        15,
        300,
    ),
    Category(
        "Camping",
        "Ultralight, Two-Person, Four-Season, Insulated, Inflatable, Compact, Waterproof, Family",
        "Tent, Sleeping Bag, Camping Stove, Sleeping Mat, Dry Bag, Camp Chair",
        14,
        550,
    ),
    Category(
        "Yoga & Fitness",
        "Non-Slip, Cork, Adjustable, Foldable, Extra-Thick, Travel, Textured, Natural Rubber",
        "Yoga Mat, Dumbbell Set, Resistance Bands, Foam Roller, Kettlebell, Yoga Block",
        8,
        240,
    ),
    Category(
        "Headphones",
        "Wireless, Noise-Cancelling, Open-Back, Sport, Studio, Foldable, Bone-Conduction, Low-Latency",
        "Over-Ear Headphones, Earbuds, On-Ear Headphones, Gaming Headset, Neckband, In-Ear Monitors",
        20,
        550,
    ),
    Category(
        "Computers",
        "Slim, Mechanical, Ergonomic, Wireless, 4K, Curved, Portable, Silent",
        "Keyboard, Mouse, Monitor, Docking Station, Laptop Stand, External SSD",
        20,
        900,
    ),
    Category(
        "Photography",
        "Mirrorless, Carbon Fibre, Weatherproof, Instant, Compact, Wide-Angle, Full-Frame, Vintage",
        "Camera, Tripod, Camera Bag, Prime Lens, Photo Printer, Ring Light",
        30,
        2200,
    ),
    Category(
        "Board Games",
        "Cooperative, Family, Two-Player, Strategy, Travel, Deluxe, Party, Award-Winning",
        "Card Game, Tile Game, Quiz Game, Dice Game, Puzzle Adventure, Miniatures Game",
        9,
        120,
    ),
    Category(
        "Toys",
        "Wooden, Plush, Magnetic, Musical, Educational, Remote-Controlled, Colourful, Solar",
        "Building Blocks, Train Set, Teddy Bear, Shape Sorter, Robot Kit, Doll's House",
        8,
        160,
    ),
    Category(
        "Skin Care",
        "Hydrating, Fragrance-Free, Vitamin C, Gentle, Overnight, Mineral, Brightening, Vegan",
        "Face Cream, Cleanser, Serum, Sunscreen, Clay Mask, Eye Cream",
        6,
        110,
    ),
    Category(
        "Books",
        "Illustrated, Bestselling, Pocket, Hardcover, Annotated, Beginner's, Essential, Collector's",
        "Crime Novel, Cookbook, Travel Guide, Biography, Science Reader, Poetry Anthology",
        7,
        60,
    ),
    Category(
        "Pets",
        "Orthopaedic, Grain-Free, Washable, Interactive, Natural, Adjustable, Chew-Proof, Travel",
        "Dog Bed, Cat Tree, Dry Food, Dog Lead, Cat Toy, Pet Carrier",
        5,
        180,
    ),
    Category(
        "Bags & Luggage",
        "Waterproof, Leather, Expandable, Roll-Top, Recycled, Lightweight, Anti-Theft, Canvas",
        "Backpack, Cabin Suitcase, Tote Bag, Messenger Bag, Weekender, Crossbody Bag",
        20,
        450,
    ),
)

BRANDS: Final = (
    "Alder & Finch",
    "Amberly",
    "Aurelio",
    "Bexhill",
    "Birchwood",
    "Calder",
    "Cobalt Row",
    "Corvina",
    "Dunmore",
    "Eastvale",
    "Elmhurst",
    "Fjellheim",
    "Foxglove",
    "Granby",
    "Halden",
    "Hearthside",
    "Ironbridge",
    "Juniper Lane",
    "Kestrel",
    "Kinross",
    "Larkfield",
    "Lumen & Co",
    "Marlowe",
    "Mistral",
    "Norrland",
    "Oakhaven",
    "Orsola",
    "Pemberly",
    "Quillon",
    "Ravensdale",
    "Solveig",
    "Tamarin",
    "Thornbury",
    "Umbra Works",
    "Verity",
    "Wexcombe",
)
